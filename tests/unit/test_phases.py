"""Phases: roots are not touched before everything that belongs to them has been deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.run.cleaning import Failed, Noticed
from cleanupctl.core.urls import parse_url
from cleanupctl.history.cleaning.session import CleaningSession
from cleanupctl.history.cleaning.sizing import Pacing
from cleanupctl.history.cleaning.tasks import Phase, TableTask
from cleanupctl.history.cleaning.workers import Shared, Worker
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.replicas import NoReplica
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.databases.target import Target
from tests.support.cursors import database as raw
from tests.support.limits import TestLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.run.cleaning import Event
    from cleanupctl.history.databases.database import Database

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


def _run(url: str, planner: object) -> list[Event]:
    Path(parse_url(url).database).touch()
    with raw(url) as cursor:
        for name in ("child", "root"):
            cursor.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, at TEXT)")
            cursor.execute(f"INSERT INTO {name} VALUES (1, '2020-01-01 00:00:00')")
        cursor.execute(
            "CREATE TRIGGER refusing BEFORE DELETE ON child BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    database = connect(parse_url(url))
    try:
        worker = Worker(
            "audit", database, Pacing(timedelta(milliseconds=250), 100), ZoneInfo("UTC"), Shared()
        )
        session = CleaningSession(worker, NoReplica(), planner)  # type: ignore[arg-type]
        return list(session.clean(NOW, TestLimits()))
    finally:
        database.close()


def _task(database: Database, name: str) -> TableTask:
    table = database.find_table(name)
    assert table is not None
    return TableTask(Target(table, table.column("at"), Condition("t.at <= %s", ("2024-01-01",))))


def _rows(url: str, name: str) -> int:
    with raw(url) as cursor:
        cursor.execute(f"SELECT count(*) FROM {name}")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("needs_earlier", [True, False])
def test_what_needs_earlier_phases_stays_when_one_of_them_has_failed(
    sqlite_url: str, needs_earlier: bool
) -> None:
    def planner(database: Database, now: datetime) -> Iterator[Phase]:
        del now
        yield Phase((_task(database, "child"),))
        yield Phase((_task(database, "root"),), needs_earlier=needs_earlier)

    events = _run(sqlite_url, planner)
    assert [event.table for event in events if isinstance(event, Failed)] == ["child"]
    assert _rows(sqlite_url, "root") == (1 if needs_earlier else 0)
    said = [event.message for event in events if isinstance(event, Noticed)]
    assert said == (
        ["root not touched: rows that belong to theirs could not be removed"] if needs_earlier else []
    )


@pytest.mark.parametrize("needs_earlier", [True, False])
def test_a_table_that_could_not_even_be_planned_counts_as_failed(
    sqlite_url: str, needs_earlier: bool
) -> None:
    def planner(database: Database, now: datetime) -> Iterator[Phase]:
        del now
        yield Phase(events=(Failed("audit", "child", HistoryError("no such column")),))
        yield Phase()
        yield Phase((_task(database, "root"),), needs_earlier=needs_earlier)

    _run(sqlite_url, planner)
    assert _rows(sqlite_url, "root") == (1 if needs_earlier else 0)
