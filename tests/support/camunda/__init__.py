"""Rows of an engine's history, and the policy they are measured by."""
