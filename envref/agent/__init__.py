"""The agent: one process that keeps in memory what stores gave, as long as a shell uses it (docs/adr/0033)."""
