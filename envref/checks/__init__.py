"""What is wrong or left lying about."""
