"""Reads from OCI's services over envref's own connections, where every setting in force is honoured (ADR 34)."""
