"""SQLite as a history's database."""
