"""The keychain of the desktop or of macOS."""
