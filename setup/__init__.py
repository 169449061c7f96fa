"""How a checkout becomes a working place: interpreters, environments, programs. Standard library only."""
