"""The cursor of a MySQL session: the one place where statements are written for the driver."""

from __future__ import annotations

from typing import Any

import pymysql.cursors

from cleanupctl.history.databases.placeholders import for_format_driver


class Cursor(pymysql.cursors.Cursor):
    """Sends statements whose quoted names may have percent signs in them."""

    def execute(self, query: str, args: Any = None) -> int:
        """Run a statement; without arguments, not even none, PyMySQL reads no percent sign."""
        return super().execute(query if args is None else for_format_driver(query), args)
