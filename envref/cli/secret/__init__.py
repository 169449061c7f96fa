"""`envref secret`."""
