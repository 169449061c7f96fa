"""How a value is written for each shell and file: the only quoting of values."""
