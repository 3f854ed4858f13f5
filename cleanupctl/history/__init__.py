"""Databases being cleaned: one interface, one file per kind of history and per database."""
