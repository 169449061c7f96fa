"""The gate: what a project may do before and after the user trusts it."""
