"""References x chain -> one outcome each."""
