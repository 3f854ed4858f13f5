"""What every database does alike: each test runs on SQLite, PostgreSQL, MariaDB and MySQL."""
