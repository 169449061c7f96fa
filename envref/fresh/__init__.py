"""What changed since a shell was given its values, and which versions a project pins."""
