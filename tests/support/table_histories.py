"""A history of kind `tables` with one row a day, on any database, and a run over it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from cleanupctl.core.settings import TableSettings, TablesSettings
from cleanupctl.core.urls import parse_url
from tests.support.cleaning import NOW
from tests.support.cursors import database

BERLIN = ZoneInfo("Europe/Berlin")


def settings(url: str, *tables: TableSettings, zone: ZoneInfo = BERLIN) -> TablesSettings:
    return TablesSettings(name="audit", url=parse_url(url), timezone=zone, tables=tables)


def fill(url: str, count: int, *, indexed: bool = True, kind: str = "TIMESTAMP", days: float = 1.0) -> None:
    """Create `audit_event` with one row per `days`, the youngest half a day old."""
    with database(url) as cursor:
        cursor.execute(
            f"CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at {kind} NULL, what VARCHAR(40))"
        )
        if indexed:
            cursor.execute("CREATE INDEX audit_event_created ON audit_event (created_at)")
        mark = "?" if url.startswith("sqlite") else "%s"
        wall = NOW.astimezone(BERLIN).replace(tzinfo=None)
        rows = [
            (number, (wall - timedelta(days=days * number + 0.5)).isoformat(" "), f"event {number}")
            for number in range(count)
        ]
        cursor.execute("BEGIN")
        cursor.executemany(f"INSERT INTO audit_event VALUES ({mark}, {mark}, {mark})", rows)
        cursor.execute("COMMIT")


def run(url: str, *statements: str) -> None:
    with database(url) as cursor:
        for statement in statements:
            cursor.execute(statement)


def ids(url: str, table: str = "audit_event") -> list[int]:
    with database(url) as cursor:
        cursor.execute(f"SELECT id FROM {table} ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


AUDIT = TableSettings("audit_event", "created_at", ttl=90)


def kind_for(url: str) -> str:
    """A wall-clock type: MySQL's `timestamp` is an instant."""
    return "DATETIME" if url.startswith("mysql") else "TIMESTAMP"
