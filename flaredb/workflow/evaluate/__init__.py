"""Labels held against references, and against each other."""
