"""What becomes of labels: whether they count, how far they are trusted, and labels made of labels."""
