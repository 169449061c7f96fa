"""What people do with secrets: write, rotate, share, sync, adopt, onboard; and the log of it."""
