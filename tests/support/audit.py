"""The table `audit_event` of one row a day, as most tests of the commands clean it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def audit_table(path: Path, rows: int) -> None:
    """One row a day, the youngest half a day old."""
    now = datetime.now(UTC)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at TEXT)")
        connection.executemany(
            "INSERT INTO audit_event VALUES (?, ?)",
            [(n, (now - timedelta(days=n + 0.5)).strftime("%Y-%m-%d %H:%M:%S")) for n in range(rows)],
        )


def audit_ids(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM audit_event ORDER BY id")]


def audit_configuration(path: Path) -> str:
    return f"""
timezone = "UTC"
[[history]]
name = "audit"
kind = "tables"
url = "sqlite:///{path}"
[[history.table]]
name = "audit_event"
time_column = "created_at"
ttl = "P90D"
"""
