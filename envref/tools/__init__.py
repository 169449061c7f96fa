"""Secrets for one program: shims, credential helpers, masking, bare."""
