"""HTTP to stores' servers, for the reads that need no program of theirs (ADR 30)."""
