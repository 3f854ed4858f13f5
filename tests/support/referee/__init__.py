"""The real engine: building it, asking it, comparing with it."""
