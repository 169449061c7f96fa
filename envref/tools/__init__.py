"""Secrets for one program: shims, credential helpers, files for those that want a path, masking, bare."""
