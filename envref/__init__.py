"""envref: committed `.env` files hold references; the secrets come from your stores, just in time."""

__version__ = "0.1.0"
