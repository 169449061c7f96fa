"""Flox: the blocks that load a project's secrets, and the manifests that hold them (docs/adr/0006-flox-blocks.md)."""
