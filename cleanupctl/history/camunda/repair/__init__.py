"""Changing removal times and times to live, and removing orphans."""
