"""Flox: manifests that load a project's secrets when an environment is activated."""
