"""Labels to people and back."""
