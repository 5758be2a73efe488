"""Models shown, taken elsewhere and brought home."""
