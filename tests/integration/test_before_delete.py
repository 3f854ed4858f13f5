"""Every deletion passes the steps before it: what they see is what is deleted, and they can keep it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cleanupctl
from cleanupctl.core.errors import HistoryError
from cleanupctl.core.run.cleaning import Failed, TableStarted
from cleanupctl.core.settings import CleanupSettings
from cleanupctl.history.camunda.repair.orphans import OrphansPlanner
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.kinds import history, history_with
from tests.support.camunda.data import fill
from tests.support.camunda.end_time_runs import NOW, filled
from tests.support.camunda.end_time_runs import settings as end_time_settings
from tests.support.camunda.histories import query
from tests.support.camunda.histories import settings as engine_settings
from tests.support.limits import TestLimits
from tests.support.servers import connect
from tests.support.table_histories import AUDIT, database, settings

if TYPE_CHECKING:
    from cleanupctl.core.run.cleaning import Event, History
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.statements import Delete

TODAY = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
ROWS = 400


@dataclass
class Recording:
    """Reads the keys of all rows before they are deleted."""

    reads: bool = True
    seen: defaultdict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))
    most: int = 0
    """Rows seen at once."""

    def narrow(self, database: Database, delete: Delete) -> Delete:
        del database
        return delete

    def before(self, database: Database, delete: Delete) -> None:
        keys = ", ".join(database.key_columns(delete.table))
        where = delete.selected
        sql = f"SELECT {keys} FROM {database.rows_of(delete.table)} WHERE {where.sql}"
        keys_seen = {row[0] for row in database.query(sql, where.parameters)}
        self.seen[delete.table.name.lower()] |= keys_seen
        self.most = max(self.most, len(keys_seen))


@dataclass
class Keeping(Recording):
    """Keeps some rows of one table."""

    table: str = "audit_event"
    condition: Condition = field(default_factory=lambda: Condition("1 = 1"))

    def narrow(self, database: Database, delete: Delete) -> Delete:
        del database
        return delete.narrowed(self.condition) if delete.table.name.lower() == self.table else delete


class Refusing(Recording):
    def before(self, database: Database, delete: Delete) -> None:
        raise HistoryError(f"nothing of {delete.table.name} may be deleted")


def clean(
    opened: History, step: Recording, *, now: datetime = NOW, batches: int | None = None
) -> list[Event]:
    with opened.open() as session:
        session.database.steps = (step,)  # type: ignore[attr-defined]
        return list(session.clean(now, TestLimits(batches=batches)))


def fill_audit(url: str, expired: int, *, same_moment: bool = False) -> None:
    """Fill `audit_event` with ROWS rows; those that have expired come first."""
    kind = "DATETIME" if url.startswith("mysql") else "TIMESTAMP"
    mark = "?" if url.startswith("sqlite") else "%s"
    with database(url) as cursor:
        cursor.execute(f"CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at {kind} NULL)")
        cursor.execute("CREATE INDEX audit_event_created ON audit_event (created_at)")
        old = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)
        cursor.executemany(
            f"INSERT INTO audit_event VALUES ({mark}, {mark})",
            [
                (
                    n,
                    str(
                        old + timedelta(hours=0 if same_moment else n)
                        if n < expired
                        else TODAY.replace(tzinfo=None)
                    ),
                )
                for n in range(ROWS)
            ],
        )
        if url.startswith("postgresql"):
            cursor.execute("ANALYZE audit_event")


def audit_ids(url: str) -> set[int]:
    with database(url) as cursor:
        cursor.execute("SELECT id FROM audit_event")
        return {row[0] for row in cursor.fetchall()}


def audit(url: str, batch_size: int) -> History:
    return history(settings(url, AUDIT), CleanupSettings(batch_size=batch_size))


@pytest.mark.parametrize(("expired", "same_moment"), [(300, False), (20, False), (200, True)])
@pytest.mark.parametrize("batch_size", [7, 10_000])
def test_a_step_sees_each_row_of_a_table_before_it_is_deleted(
    database_url: str, expired: int, same_moment: bool, batch_size: int
) -> None:
    fill_audit(database_url, expired, same_moment=same_moment)
    step = Recording()
    clean(audit(database_url, batch_size), step, now=TODAY)
    assert step.seen["audit_event"] == set(range(expired))
    # A transaction that would be one row too large is undone.
    assert step.most <= batch_size + 1
    assert audit_ids(database_url) == set(range(expired, ROWS))


@pytest.mark.parametrize(("expired", "same_moment"), [(300, False), (20, False), (200, True)])
@pytest.mark.parametrize(("batch_size", "reads"), [(7, True), (10_000, True), (7, False), (10_000, False)])
def test_what_a_step_keeps_stays_and_is_not_seen(
    database_url: str, expired: int, same_moment: bool, batch_size: int, reads: bool
) -> None:
    fill_audit(database_url, expired, same_moment=same_moment)
    # It may even look into the table from which is deleted.
    opened = audit(database_url, batch_size)
    with opened.open() as session:
        own = session.database.find_table("audit_event")  # type: ignore[attr-defined]
        place = session.database.qualified(own)  # type: ignore[attr-defined]
    odd = Condition(f"NOT EXISTS (SELECT 1 FROM {place} AS o WHERE o.id = t.id AND (o.id & 1) = 1)")
    step = Keeping(condition=odd, reads=reads)
    clean(opened, step, now=TODAY)
    if reads:
        assert step.seen["audit_event"] == set(range(0, expired, 2))
    assert audit_ids(database_url) == set(range(ROWS)) - set(range(0, expired, 2))


def test_nothing_is_deleted_once_a_step_refuses(database_url: str) -> None:
    fill_audit(database_url, 300)
    events = clean(audit(database_url, 50), Refusing(), now=TODAY)
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert "nothing of audit_event may be deleted" in str(failed.error)
    assert audit_ids(database_url) == set(range(ROWS))


def engine_rows(url: str) -> dict[str, set[str]]:
    """The keys of all rows, by table in lower case."""
    names = query(url, "SELECT table_name FROM information_schema.columns WHERE lower(column_name) = 'id_'")
    tables = {str(name).lower(): str(name) for (name,) in names if str(name).lower().startswith("act_")}
    return {key: {row[0] for row in query(url, f"SELECT ID_ FROM {name}")} for key, name in tables.items()}


def deleted(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, set[str]]:
    return {table: rows - after[table] for table, rows in before.items() if rows - after[table]}


@pytest.mark.parametrize("batch_size", [12, 10_000])
def test_a_step_sees_each_row_of_a_hierarchy_before_it_is_deleted(engine_url: str, batch_size: int) -> None:
    filled(engine_url, 20, 10)
    before = engine_rows(engine_url)
    step = Recording()
    clean(history(end_time_settings(engine_url), CleanupSettings(batch_size=batch_size)), step)
    gone = deleted(before, engine_rows(engine_url))
    assert len(gone) > 5
    assert {table: rows for table, rows in step.seen.items() if rows} == gone


@pytest.mark.parametrize("batch_size", [12, 10_000])
def test_a_top_that_a_step_keeps_keeps_its_whole_hierarchy(engine_url: str, batch_size: int) -> None:
    filled(engine_url, 20, 0)
    before = engine_rows(engine_url)
    (root,) = query(
        engine_url,
        "SELECT ROOT_PROC_INST_ID_ FROM ACT_HI_PROCINST WHERE END_TIME_ IS NOT NULL"
        " GROUP BY ROOT_PROC_INST_ID_ HAVING count(*) = 4 ORDER BY 1 LIMIT 1",
    )[0]
    held = {
        table: {
            row[0]
            for row in query(engine_url, f"SELECT ID_ FROM {table} WHERE ROOT_PROC_INST_ID_ = '{root}'")
        }
        for table in ("ACT_HI_PROCINST", "ACT_HI_ACTINST", "ACT_HI_VARINST", "ACT_HI_TASKINST")
    }
    step = Keeping(table="act_hi_procinst", condition=Condition("t.ID_ <> %s", (root,)))
    clean(history(end_time_settings(engine_url), CleanupSettings(batch_size=batch_size)), step)
    after = engine_rows(engine_url)
    if batch_size > 1000:
        assert all(rows <= after[table.lower()] for table, rows in held.items())
    assert root in after["act_hi_procinst"]
    assert len(deleted(before, after)["act_hi_procinst"]) > 5


def test_a_step_sees_each_row_that_its_own_removal_time_lets_be_deleted(engine_url: str) -> None:
    # A running instance whose removal time is past guards what belongs to it.
    fill(engine_url, expired_instances=30, unexpired_instances=10, now=TODAY, expired_unfinished=3)
    before = engine_rows(engine_url)
    step = Recording()
    clean(history(engine_settings(engine_url), CleanupSettings(batch_size=40)), step, now=TODAY)
    gone = deleted(before, engine_rows(engine_url))
    assert len(gone) > 5
    assert {table: rows for table, rows in step.seen.items() if rows} == gone


def test_a_step_sees_each_orphan_before_it_is_deleted(engine_url: str) -> None:
    fill(engine_url, expired_instances=20, unexpired_instances=0, now=TODAY, orphans=30)
    before, step = engine_rows(engine_url), Recording()
    configured = engine_settings(engine_url)
    opened = history_with(OrphansPlanner(configured), configured, CleanupSettings(batch_size=7))
    clean(opened, step, now=TODAY)
    gone = deleted(before, engine_rows(engine_url))
    assert sum(map(len, gone.values())) == 30
    assert {table: rows for table, rows in step.seen.items() if rows} == gone


def test_rows_that_others_hold_are_passed_over_and_not_seen(postgresql_url: str) -> None:
    fill_audit(postgresql_url, 20)
    step = Recording()
    with connect(postgresql_url, autocommit=False) as holding, holding.cursor() as cursor:
        cursor.execute("SELECT 1 FROM audit_event WHERE id = 3 FOR UPDATE")
        events = clean(audit(postgresql_url, 10_000), step, now=TODAY, batches=1)
    assert [event.access_path for event in events if isinstance(event, TableStarted)] == ["index"]
    assert step.seen["audit_event"] >= set(range(20)) - {3}
    assert audit_ids(postgresql_url) == {3, *range(20, ROWS)}


def test_rows_are_deleted_from_a_history_in_one_place_only() -> None:
    room = Path(cleanupctl.__file__).parent / "history"
    writing = re.compile(r"(?<!EXPLAIN )\bDELETE\s+(t\s+)?FROM\b")
    found = {
        str(path.relative_to(room))
        for path in room.rglob("*.py")
        if writing.search(path.read_text(encoding="utf-8"))
    }
    assert found == {f"databases/{server}/database.py" for server in ("mysql", "postgresql", "sqlite")}
    # And who executes statements goes by `transact`, which lets every step see them.
    calling = re.compile(r"\._execute\(|\b_written_delete\(")
    callers = {
        str(path.relative_to(room))
        for path in room.rglob("*.py")
        if calling.search(path.read_text(encoding="utf-8"))
    }
    assert callers <= found | {"databases/database.py"}
