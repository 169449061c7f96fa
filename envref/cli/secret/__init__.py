"""`envref secret`: the secrets of the stores, one file a command."""
