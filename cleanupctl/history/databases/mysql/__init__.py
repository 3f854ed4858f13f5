"""MySQL and MariaDB as a history's database."""
