"""Reads from Doppler's service over envref's own connections, where every setting in force is honoured (ADR 35)."""
