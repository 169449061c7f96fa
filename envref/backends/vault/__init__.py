"""The local vault: an age-encrypted SQLite file."""
