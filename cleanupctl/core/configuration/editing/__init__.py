"""Changing the configuration file without losing what a person wrote into it."""
