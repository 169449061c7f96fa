"""What `.envref.yaml` and the user's own config say (commands.md 3)."""
