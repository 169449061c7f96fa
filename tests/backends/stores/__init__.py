"""Real stores, started for a test and ended with it."""
