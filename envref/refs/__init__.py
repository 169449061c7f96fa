"""What a reference is, and what can become of it."""
