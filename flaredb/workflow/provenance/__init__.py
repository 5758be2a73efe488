"""What a thing was made of, what was made of it, what is current and what was."""
