"""`envref profile`: the environments of one project, one file a command."""
