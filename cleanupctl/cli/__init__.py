"""The command line: one file per command; options in, plain values to the core, results to output."""
