"""1Password, by its program `op`."""
