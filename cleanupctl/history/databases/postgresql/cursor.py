"""The cursor of a PostgreSQL session: the one place where statements are written for the driver."""

from __future__ import annotations

from typing import Any, Self, cast

import psycopg

from cleanupctl.history.databases.placeholders import for_format_driver


class Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """Sends statements whose quoted names may have percent signs in them."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Run a statement; without parameters, not even none, psycopg reads no percent sign."""
        sql = query if params is None else for_format_driver(cast("str", query))
        return super().execute(sql, params, **options)
