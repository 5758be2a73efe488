"""Frozen training sets: made, compared, written, read."""
