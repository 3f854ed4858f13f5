"""One large table with a time index, on any database, and cleaning it by cleanupctl or by plain DELETE."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cleanupctl.core.run.cleaning import BatchDeleted, Failed, TableStarted
from cleanupctl.core.settings import CleanupSettings, TableSettings, TablesSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.kinds import history
from tests.benchmarks.measuring import Measurement
from tests.support.limits import TestLimits
from tests.support.servers import connect

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
CUTOFF = "2024-06-05 12:00:00"
TABLE = TableSettings("audit_event", "created_at", ttl=10)


class PatientLimits(TestLimits):
    """No limits, but a pause is a pause."""

    __test__ = False

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


def settings(url: str) -> TablesSettings:
    """Configure the table."""
    return TablesSettings(name="audit", url=parse_url(url), timezone=ZoneInfo("UTC"), tables=(TABLE,))


def cleanupctl(url: str, rows_of: list[int] | None = None) -> Measurement:
    """Clean the table with default settings; `rows_of` gets the rows of each transaction."""
    batches, ways = [], []
    began = time.perf_counter()
    with history(settings(url), CleanupSettings()).open() as session:
        for event in session.clean(NOW, PatientLimits()):
            if isinstance(event, BatchDeleted):
                batches.append(event)
            elif isinstance(event, TableStarted):
                ways.append(event.access_path)
            elif isinstance(event, Failed):
                raise event.error
    seconds = time.perf_counter() - began
    rows = sum(batch.rows for batch in batches)
    if rows_of is not None:
        rows_of += [batch.rows for batch in batches]
    return Measurement(seconds, rows, tuple(batch.seconds for batch in batches), {"way": "+".join(ways)})


def plain(url: str) -> Measurement:
    """One DELETE."""
    began = time.perf_counter()
    rows = execute(url, f"DELETE FROM audit_event WHERE created_at <= '{CUTOFF}'")
    seconds = time.perf_counter() - began
    return Measurement(seconds, rows, (seconds,))


def execute(url: str, *statements: str) -> int:
    """Run statements, each its own transaction; returns the number of rows of the last."""
    rows = 0
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(parse_url(url).database, isolation_level=None)) as connection:
            for statement in statements:
                rows = connection.execute(statement).rowcount
        return rows
    with connect(url) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            rows = cursor.rowcount
    return rows


def create(url: str, rows: int, *, expired: int, mixed: bool = True, indexed: bool = True) -> None:
    """Make rows of about 100 bytes, `expired` of them past the cutoff: mixed with the others, or first.

    Later rows have later times, a thousand of them the same, except that expired ones are 90 days older.
    """
    every = max(1, rows // expired) if expired else rows + 1
    old = f"n % {every} = 0" if mixed else f"n < {expired}"
    moment: Any
    numbers = f"WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {rows})"
    body = "'0123456789012345678901234567890123456789012345678901234567890123456789'"
    if url.startswith("postgresql"):
        numbers = f"WITH s(n) AS (SELECT generate_series(0, {rows - 1}))"
        days = f"CASE WHEN {old} THEN 90 ELSE 0 END * interval '1 day'"
        moment = f"timestamp '2024-06-14' + n / 1000 * interval '1 s' - {days}"
    elif url.startswith("mysql"):
        numbers = ""
        moment = (
            f"'2024-06-14' + INTERVAL n DIV 1000 SECOND - INTERVAL CASE WHEN {old} THEN 90 ELSE 0 END DAY"
        )
    else:
        moment = (
            f"datetime('2024-06-14', '+' || (n / 1000) || ' seconds',"
            f" CASE WHEN {old} THEN '-90 days' ELSE '-0 days' END)"
        )
    source = f"seq_0_to_{rows - 1}" if url.startswith("mysql") else "s"
    number = "seq" if url.startswith("mysql") else "n"
    if number != "n":
        moment = re.sub(r"\bn\b", number, moment)
    kind = "DATETIME" if url.startswith("mysql") else "TIMESTAMP"
    execute(
        url,
        *(["PRAGMA journal_mode = WAL"] if url.startswith("sqlite") else []),
        f"CREATE TABLE audit_event (id BIGINT PRIMARY KEY, created_at {kind}, body VARCHAR(80))"
        if not url.startswith("sqlite")
        else f"CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at {kind}, body VARCHAR(80))",
        f"INSERT INTO audit_event {numbers} SELECT {number}, {moment}, {body} FROM {source}",
        *(["CREATE INDEX audit_event_created ON audit_event (created_at)"] if indexed else []),
    )
    if url.startswith("postgresql"):
        execute(url, "VACUUM ANALYZE audit_event")
    elif url.startswith("mysql"):
        execute(url, "ANALYZE TABLE audit_event")


def sqlite_url(folder: Path, name: str) -> str:
    """URL of a file in a folder."""
    return f"sqlite:///{folder / name}.db"
