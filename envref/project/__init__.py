"""Which directory we are in, what its config says, and what it may do."""
