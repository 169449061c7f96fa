"""`envref credential`: one file for each tool's protocol."""
