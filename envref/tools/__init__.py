"""Secrets for one program: files for those that want a path, and what is masked."""
