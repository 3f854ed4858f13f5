"""The connection to an SQLite file: the one place where statements are written for the driver."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from cleanupctl.history.databases.placeholders import for_qmark_driver

if TYPE_CHECKING:
    from collections.abc import Sequence


class Connection(sqlite3.Connection):
    """Runs statements with the placeholders of all servers."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        """Run a statement with its bound values."""
        return super().execute(for_qmark_driver(sql), parameters)
