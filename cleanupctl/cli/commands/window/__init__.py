"""The commands of `cleanupctl window`."""
