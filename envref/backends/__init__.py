"""The stores: a file or folder each, the table of them, and what they share."""
