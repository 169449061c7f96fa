"""`envref profile`."""
