"""Batch windows: instants in, instants out."""
