"""What changed since a shell was given its values."""
