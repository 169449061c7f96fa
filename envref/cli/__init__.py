"""The command line: one file a command, and the grammar of the doors that load no click."""
