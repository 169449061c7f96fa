"""`envref vault`: the vault as a whole."""
