"""What a reference is, where a store keeps it, and what can become of it."""
