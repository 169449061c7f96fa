"""Oracle Cloud Infrastructure Vault."""
