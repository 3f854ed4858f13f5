"""PostgreSQL as a history's database."""
