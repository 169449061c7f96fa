"""`.env` files and their variables."""
