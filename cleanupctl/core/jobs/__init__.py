"""Cleanup jobs: what they are, when they are due, and who executes them."""
