"""Writes the man pages from the command tree and the configuration schema."""
