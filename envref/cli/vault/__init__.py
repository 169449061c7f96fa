"""`envref vault`: the vault as a whole, one file a command."""
