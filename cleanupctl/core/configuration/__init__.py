"""The configuration file: read with all faults at once, described as data, edited with its comments kept."""
