"""The cursor of an SQLite connection: the one place where statements are written for the driver."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Self

from cleanupctl.history.databases.placeholders import for_qmark_driver

if TYPE_CHECKING:
    from collections.abc import Sequence


class Cursor(sqlite3.Cursor):
    """Runs statements with the placeholders that all servers share."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Self:  # type: ignore[override] # no mappings
        """Run a statement with its bound values."""
        super().execute(for_qmark_driver(sql), parameters)
        return self


class Connection(sqlite3.Connection):
    """A connection with such cursors."""

    def cursor(self, factory: Any = Cursor) -> Any:
        """Return a new cursor."""
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        """Run a statement with a new cursor."""
        return self.cursor().execute(sql, parameters)  # type: ignore[no-any-return]
