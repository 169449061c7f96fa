"""agent: what an activation was given, kept in one process's memory for as long as a shell uses it (docs/adr/0033)."""
