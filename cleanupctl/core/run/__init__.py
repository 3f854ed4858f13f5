"""Executing due jobs within limits, and what a history has to offer for it."""
