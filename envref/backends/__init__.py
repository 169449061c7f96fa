"""One file or folder a store, the table of them, and what they share."""
