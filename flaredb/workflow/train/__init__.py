"""Models taught from a snapshot, in a workspace or apart from it."""
