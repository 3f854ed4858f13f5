"""History cleanup from the shell, for process engines and any database that keeps history."""

__version__ = "0.1.0"
