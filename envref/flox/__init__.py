"""Flox: the blocks that load a project's secrets, and the manifests that hold them.

Texts and rules are those of flox.md 6 (blocks) and 7 (editing); docs/adr/0006-flox-blocks.md says why so.
"""
