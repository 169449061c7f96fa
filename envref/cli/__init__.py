"""The command line: one file a verb, and the grammar and command of the activation door."""
