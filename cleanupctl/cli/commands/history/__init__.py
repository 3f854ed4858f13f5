"""The commands of `cleanupctl history`."""
