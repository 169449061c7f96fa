"""`envref credential`, a file a protocol."""
