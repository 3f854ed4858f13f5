"""The commands: options in, calls of the core, results out."""
