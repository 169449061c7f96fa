"""Reads from AWS by envref's own requests, where it honours every setting in force as `aws` does (ADR 30)."""
