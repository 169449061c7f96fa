"""What people do with one secret."""
