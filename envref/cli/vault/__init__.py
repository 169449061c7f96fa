"""`envref vault`."""
