"""Deleting that gets no further says so and ends; limits hold also where nothing can be undone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.run.cleaning import Failed, Left
from cleanupctl.core.settings import CleanupSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.check import check
from cleanupctl.history.cleaning.progress import MOST_FRUITLESS, Progress
from cleanupctl.history.databases.scan import Batch
from cleanupctl.history.databases.servers import connect as connect_database
from cleanupctl.history.databases.statements import Delete
from tests.support.cleaning import NOW, clean, deleted
from tests.support.cursors import database
from tests.support.limits import TestLimits
from tests.support.table_histories import AUDIT, fill, ids, kind_for, run, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.core.run.cleaning import Event


class Small(TestLimits):
    """Remembers that batches have to be small, and counts them."""

    batches_done = 0

    def remembered(self, history: str, table: str) -> int | None:
        return 4

    def settle(self, reserved: int, deleted: int) -> None:
        super().settle(reserved, deleted)
        self.batches_done += 1


class Meanwhile(TestLimits):
    """Does something once, between two batches."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self.act: Callable[[], None] | None = act

    def settle(self, reserved: int, deleted: int) -> None:
        super().settle(reserved, deleted)
        act = self.act
        if act is not None and deleted:
            self.act = None
            act()


def failures(events: list[Event]) -> list[str]:
    return [str(event.error) for event in events if isinstance(event, Failed)]


@pytest.mark.parametrize("batch", [Batch(0, overflow=True), Batch(0), Batch(0, idle=True)])
def test_a_pass_that_stays_where_it_is_and_deletes_nothing_is_ended(batch: Batch) -> None:
    progress = Progress("event")
    with pytest.raises(HistoryError, match="cleaning event gets no further"):
        for _ in range(2 * MOST_FRUITLESS):
            progress.note(batch, "here", 1)


@pytest.mark.parametrize(
    ("batch", "moves", "units"),
    [
        (Batch(0), True, 1),
        (Batch(1), False, 1),
        (Batch(0, changed=(("line", 1),)), False, 1),
        # It has fewer units the next time.
        (Batch(0, overflow=True), False, 2),
        # Other workers are at the rest.
        (Batch(0, done=True, idle=True), False, 1),
    ],
)
def test_a_pass_that_moves_deletes_or_takes_on_less_goes_on(batch: Batch, moves: bool, units: int) -> None:
    progress = Progress("event")
    for number in range(5 * MOST_FRUITLESS):
        progress.note(batch, number if moves else "here", units)


def test_rows_that_a_trigger_keeps_though_others_would_go_along_end_the_table(postgresql_url: str) -> None:
    fill(postgresql_url, 200)
    run(
        postgresql_url,
        "CREATE TABLE line (event INTEGER REFERENCES audit_event ON DELETE CASCADE)",
        "CREATE INDEX ON line (event)",
        "INSERT INTO line SELECT e.id FROM audit_event e, generate_series(1, 20)",
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER keep BEFORE DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION keep()",
    )
    (said,) = failures(
        clean(
            settings(postgresql_url, replace(AUDIT, cascade="allow")), cleanup=CleanupSettings(batch_size=5)
        )
    )
    assert "gets no further" in said
    assert len(ids(postgresql_url)) == 200


@pytest.mark.parametrize("engine", ["MyISAM", "Aria"])
@pytest.mark.parametrize("indexed", [True, False])
def test_without_transactions_no_more_rows_go_than_may(
    mariadb_url: str, engine: str, *, indexed: bool
) -> None:
    fill(mariadb_url, 400, kind="DATETIME", indexed=indexed)
    run(mariadb_url, f"ALTER TABLE audit_event ENGINE = {engine}")
    assert deleted(clean(settings(mariadb_url, AUDIT), limits=TestLimits(rows=30))) == 30
    assert len(ids(mariadb_url)) == 370
    clean(settings(mariadb_url, AUDIT), cleanup=CleanupSettings(batch_size=7))
    assert ids(mariadb_url) == list(range(90))


def test_without_transactions_nothing_is_deleted_from_several_tables_together(mariadb_url: str) -> None:
    fill(mariadb_url, 3, kind="DATETIME")
    run(
        mariadb_url,
        "CREATE TABLE line (id INTEGER PRIMARY KEY) ENGINE = MyISAM",
        "INSERT INTO line VALUES (1)",
    )
    opened = connect_database(parse_url(mariadb_url))
    found = opened.find_tables(("audit_event", "line"))
    try:
        condition = opened.any_of("t.id", [1])
        deletes = [Delete(table, condition) for table in found.values()]
        with pytest.raises(HistoryError, match="line is stored by MyISAM, which has no transactions"):
            opened.transact(deletes, 100)
        assert opened.transact(deletes[1:], 100) == [1]
    finally:
        opened.close()
    assert ids(mariadb_url) == [0, 1, 2]


@pytest.mark.parametrize("count", [200, 5_000])
def test_a_row_that_another_session_holds_leaves_one_row_and_is_told(server_url: str, count: int) -> None:
    fill(server_url, count, kind=kind_for(server_url), days=1 if count == 200 else 0.0185)
    with database(server_url) as holder:
        holder.execute("BEGIN")
        holder.execute(f"SELECT id FROM audit_event WHERE id = {count - 1} FOR UPDATE")
        events = clean(settings(server_url, AUDIT))
        holder.execute("ROLLBACK")
    assert failures(events) == []
    (left,) = [event for event in events if isinstance(event, Left)]
    assert "1 rows of audit_event stay" in left.message
    assert ids(server_url)[-1] == count - 1
    assert not [event for event in clean(settings(server_url, AUDIT)) if isinstance(event, Left)]
    assert max(ids(server_url)) < count - 1


@pytest.mark.parametrize(
    "statement", ["VACUUM FULL audit_event", "CLUSTER audit_event USING audit_event_pkey"]
)
def test_a_table_that_is_written_anew_during_a_scan_is_scanned_again(
    postgresql_url: str, statement: str
) -> None:
    fill(postgresql_url, 5_000, indexed=False)
    limits = Meanwhile(lambda: run(postgresql_url, statement))
    clean(settings(postgresql_url, AUDIT), limits=limits, cleanup=CleanupSettings(batch_size=500))
    assert limits.act is None
    assert ids(postgresql_url) == list(range(90))


def test_rows_that_sqlite_numbers_anew_during_a_scan_are_found(sqlite_url: str) -> None:
    run(
        sqlite_url,
        "CREATE TABLE audit_event (id TEXT, created_at TEXT, what TEXT)",
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5999)"
        " INSERT INTO audit_event SELECT i, '2020-01-01 00:00:00', '' FROM n",
    )
    limits = Meanwhile(lambda: run(sqlite_url, "VACUUM"))
    clean(settings(sqlite_url, AUDIT), limits=limits, cleanup=CleanupSettings(batch_size=500))
    assert limits.act is None
    assert ids(sqlite_url) == []


def test_a_unique_key_without_nulls_is_as_good_as_a_primary_one(mariadb_url: str) -> None:
    fill(mariadb_url, 3_000, kind="DATETIME", indexed=False)
    run(
        mariadb_url,
        "ALTER TABLE audit_event DROP PRIMARY KEY, ADD UNIQUE maybe (what), ADD UNIQUE `the key` (id),"
        " ADD UNIQUE part (id, what(3))",
    )
    with database(mariadb_url) as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT 1 FROM audit_event WHERE id = 2999 FOR UPDATE")
        clean(settings(mariadb_url, AUDIT), cleanup=CleanupSettings(batch_size=100))
        holder.execute("ROLLBACK")
    assert ids(mariadb_url) == [*range(90), 2999]


@pytest.mark.parametrize(("indexed", "batch_size"), [(True, 100), (True, 1_000), (False, 1_000)])
def test_a_table_without_any_key_is_cleaned_while_its_times_tell_rows_apart_else_refused(
    mariadb_url: str, batch_size: int, *, indexed: bool
) -> None:
    fill(mariadb_url, 1_500, kind="DATETIME", indexed=indexed)
    run(
        mariadb_url,
        "ALTER TABLE audit_event DROP PRIMARY KEY",
        "UPDATE audit_event SET created_at = '2020-01-01' WHERE id BETWEEN 100 AND 999",
    )
    configured = settings(mariadb_url, AUDIT)
    refused = failures(clean(configured, cleanup=CleanupSettings(batch_size=batch_size)))
    if not indexed:
        said = [one.message for one in check(configured, NOW).findings if one.severity == "error"]
        assert said == refused
        assert "neither a primary key nor an index" in refused[0]
        return
    assert bool(refused) is (batch_size == 100)
    assert refused or ids(mariadb_url) == list(range(90))


def test_many_batches_that_find_nothing_are_no_lack_of_progress(database_url: str) -> None:
    fill(database_url, 12_000, kind=kind_for(database_url), days=0.001)
    run(
        database_url,
        "DROP INDEX audit_event_created" + (" ON audit_event" if "mysql" in database_url else ""),
    )
    run(database_url, "UPDATE audit_event SET created_at = '2020-01-01 00:00:00' WHERE id > 11990")
    configured = settings(database_url, AUDIT)
    limits = Small()
    assert failures(clean(configured, limits=limits)) == []
    assert ids(database_url)[-1] == 11_990
    assert limits.batches_done > MOST_FRUITLESS + 2
