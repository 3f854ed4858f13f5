"""Rows with what belongs to them in other tables: any tables, any keys, on every database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.run.cleaning import BatchDeleted, Event, Noticed, TableFinished
from cleanupctl.history.cleaning.batches import TaskRun
from cleanupctl.history.cleaning.candidates import Group
from cleanupctl.history.cleaning.cascade import TOP, CascadePlan, IdLookup, RowSet, Unit
from cleanupctl.history.cleaning.hierarchies import CascadeTask
from cleanupctl.history.cleaning.sizing import Pacing
from cleanupctl.history.cleaning.workers import Worker
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.cutoff import cutoff
from cleanupctl.history.databases.table_set import TableSet
from tests.support.limits import TestLimits
from tests.support.table_histories import database

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.statements import Delete

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
ORDERS, EXPIRED, LINES = 30, 20, 5
PLAN = CascadePlan(
    lookups=(IdLookup("lines", "id", RowSet("line", "order_id", TOP)),),
    rows=(RowSet("note", "line_id", "lines"), RowSet("line", "order_id", TOP), RowSet("orders", "id", TOP)),
)


@dataclass(frozen=True)
class Each:
    """Every order is the top of what belongs to it."""

    plans: tuple[CascadePlan, ...] = (PLAN,)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> list[Unit]:
        return [Unit(row["id"], PLAN) for row in rows]


@pytest.fixture
def opened(database_url: str) -> Iterator[Database]:
    from cleanupctl.core.urls import parse_url
    from cleanupctl.history.databases.servers import connect

    moment = "DATETIME" if database_url.startswith("mysql") else "TIMESTAMP"
    with database(database_url) as cursor:
        cursor.execute(f"CREATE TABLE orders (id INTEGER PRIMARY KEY, closed_at {moment} NULL)")
        cursor.execute(
            "CREATE TABLE line (id INTEGER PRIMARY KEY, order_id INTEGER,"
            " FOREIGN KEY (order_id) REFERENCES orders (id))"
        )
        cursor.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, line_id INTEGER)")
        cursor.execute(
            "CREATE TABLE claim (id INTEGER PRIMARY KEY, line_id INTEGER,"
            " FOREIGN KEY (line_id) REFERENCES line (id))"
        )
        for order in range(ORDERS):
            closed = NOW - timedelta(days=100 if order < EXPIRED else 1)
            cursor.execute(f"INSERT INTO orders VALUES ({order}, '{closed:%Y-%m-%d %H:%M:%S}')")
            for line in range(order * LINES, (order + 1) * LINES):
                cursor.execute(f"INSERT INTO line VALUES ({line}, {order})")
                cursor.execute(f"INSERT INTO note VALUES ({line}, {line})")
    connected = connect(parse_url(database_url))
    yield connected
    connected.close()


def clean(opened: Database, batch_size: int) -> list[Event]:
    tables = TableSet(opened.find_tables(("orders", "line", "note")), opened)
    until = cutoff(NOW - timedelta(days=30), ZoneInfo("UTC"))
    group = Group("orders", "all", "closed_at", until, (), "id", (), Each(), "id", "orders")
    worker = Worker("shop", opened, Pacing(timedelta(seconds=0.25), batch_size), ZoneInfo("UTC"))
    return list(TaskRun(worker, CascadeTask(tables, group)).events(TestLimits()))


def place(opened: Database, name: str) -> str:
    """Return the quoted name of a table, which nothing leads to without its schema."""
    table = opened.find_table(name)
    assert table is not None
    return opened.qualified(table)


def rows(opened: Database) -> dict[str, int]:
    return {
        name: int(opened.query(f"SELECT count(*) FROM {place(opened, name)}")[0][0])
        for name in ("orders", "line", "note")
    }


def left(orders: int) -> dict[str, int]:
    return {"orders": orders, "line": orders * LINES, "note": orders * LINES}


@pytest.mark.parametrize("batch_size", [10_000, 30, 4])
def test_an_order_is_deleted_with_everything_that_belongs_to_it(opened: Database, batch_size: int) -> None:
    events = clean(opened, batch_size)
    assert rows(opened) == left(ORDERS - EXPIRED)
    batches = [event for event in events if isinstance(event, BatchDeleted)]
    assert max(batch.rows for batch in batches) <= batch_size
    deleted: dict[str, int] = {}
    for batch in batches:
        for name, number in batch.by_table:
            deleted[name] = deleted.get(name, 0) + number
    assert deleted == left(EXPIRED)
    (finished,) = [event for event in events if isinstance(event, TableFinished)]
    assert (finished.table, finished.rows, finished.skipped) == ("orders", EXPIRED, 0)


@pytest.mark.parametrize("batch_size", [10_000, 30])
def test_an_order_that_something_else_needs_stays_whole_and_is_told(
    opened: Database, batch_size: int
) -> None:
    claim(opened, line=7 * LINES)
    events = clean(opened, batch_size)
    assert rows(opened) == left(ORDERS - EXPIRED + 1)
    assert opened.query(f"SELECT id FROM {place(opened, 'orders')} WHERE id < %s", (EXPIRED,)) == [(7,)]
    (finished,) = [event for event in events if isinstance(event, TableFinished)]
    assert finished.skipped == 1
    assert "1 orders of orders (all) are still referenced" in (finished.reason or "")
    assert not [event for event in events if isinstance(event, Noticed)]


def claim(opened: Database, *, line: int) -> None:
    connection: Any = opened._connection  # type: ignore[attr-defined]
    connection.cursor().execute(f"INSERT INTO {place(opened, 'claim')} VALUES (1, {line})")


def test_parts_of_an_order_are_not_deleted_past_what_a_step_keeps(opened: Database) -> None:
    opened.steps = (KeepingNotes(),)
    events = clean(opened, batch_size=4)
    assert opened.query(f"SELECT id FROM {place(opened, 'orders')} WHERE id < %s", (EXPIRED,)) == [(7,)]
    assert opened.query(f"SELECT id FROM {place(opened, 'note')} WHERE id < %s", (EXPIRED * LINES,)) == [
        (7 * LINES,)
    ]
    (told,) = [event for event in events if isinstance(event, Noticed)]
    assert "1 orders of orders (all) are kept" in told.message


class KeepingNotes:
    """Keeps one note."""

    reads = False

    def narrow(self, database: Database, delete: Delete) -> Delete:
        del database
        note = Condition("t.id <> %s", (7 * LINES,))
        return delete.narrowed(note) if delete.table.name == "note" else delete

    def before(self, database: Database, delete: Delete) -> None:
        """Nothing to read."""
