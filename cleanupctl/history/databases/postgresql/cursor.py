"""The cursor of a PostgreSQL session: the one place where statements are written for the driver."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Self, cast

import psycopg
from psycopg import DataError
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader

from cleanupctl.history.databases.placeholders import for_format_driver

FIRST = datetime.combine(date.min, time.min, UTC)
LAST = datetime.combine(date.max, time.max, UTC)


class Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """Sends statements whose quoted names may have percent signs in them."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Run a statement; without parameters, not even none, psycopg reads no percent sign."""
        sql = query if params is None else for_format_driver(cast("str", query))
        return super().execute(sql, params, **options)


def _too_early(data: Any) -> bool:
    """Return whether a time beyond the years 1 to 9999 lies before them: -infinity, or before Christ."""
    written = bytes(data)
    return written.startswith(b"-") or written.endswith(b"BC")


def _clamped(data: Any) -> datetime:
    """Return the first or last time that Python has, in UTC."""
    return FIRST if _too_early(data) else LAST


class _Date(DateLoader):
    """Reads what Python has no date for as the first or last one there is."""

    def load(self, data: Any) -> date:
        try:
            return super().load(data)
        except DataError:
            return date.min if _too_early(data) else date.max


class _Timestamp(TimestampLoader):
    """Reads what Python has no time for as the first or last one there is."""

    def load(self, data: Any) -> datetime:
        try:
            return super().load(data)
        except DataError:
            return _clamped(data).replace(tzinfo=None)


class _Timestamptz(TimestamptzLoader):
    """Reads what Python has no time for as the first or last one there is."""

    def load(self, data: Any) -> datetime:
        try:
            return super().load(data)
        except (DataError, OverflowError):
            return _clamped(data)


def read_all_times(connection: psycopg.Connection[Any]) -> None:
    """Have every time that PostgreSQL can store read, infinity and the years before 1 and after 9999 too."""
    for name, loader in (("date", _Date), ("timestamp", _Timestamp), ("timestamptz", _Timestamptz)):
        connection.adapters.register_loader(name, loader)
