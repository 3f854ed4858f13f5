"""Rows that go along, and names that mean two things: refused, or cleaned and told, on every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.run.cleaning import BatchDeleted, Expired, Failed, Noticed, Stopped, TableFinished
from cleanupctl.core.run.events import RunTotals
from cleanupctl.core.run.limits import RowBudget
from cleanupctl.core.settings import CleanupSettings, TableSettings
from cleanupctl.history.check import check
from cleanupctl.history.kinds import history
from tests.support.cleaning import NOW, clean
from tests.support.cursors import database
from tests.support.limits import TestLimits
from tests.support.table_histories import AUDIT, fill, ids, kind_for, run, settings

if TYPE_CHECKING:
    from cleanupctl.core.run.cleaning import Event
    from cleanupctl.core.settings import TablesSettings

ALLOWED = replace(AUDIT, cascade="allow")


def lines(url: str, each: int, action: str = " ON DELETE CASCADE", rows: int = 200) -> None:
    """Make `line`, of which so many rows point at each of the events."""
    kind = kind_for(url)
    run(
        url,
        f"CREATE TABLE line (id INTEGER PRIMARY KEY, event_id INTEGER, at {kind} NULL,"
        f" FOREIGN KEY (event_id) REFERENCES audit_event (id){action})",
        "CREATE INDEX line_event ON line (event_id)",
        "INSERT INTO line SELECT n.id + m.id * 1000, n.id, n.created_at FROM audit_event n, audit_event m"
        f" WHERE m.id < {each} AND n.id < {rows}",
    )


def preview(configured: TablesSettings) -> list[Expired | Noticed | Failed]:
    with history(configured, CleanupSettings()).open() as session:
        return list(session.preview(NOW))


def failures(events: list[Event] | list[Expired | Noticed | Failed]) -> list[str]:
    return [str(event.error) for event in events if isinstance(event, Failed)]


def errors(configured: TablesSettings) -> list[str]:
    return [one.message for one in check(configured, NOW).findings if one.severity == "error"]


def refusals(configured: TablesSettings) -> list[str]:
    """What run, dry run and check say; they have to say the same."""
    said = failures(clean(configured))
    assert failures(preview(configured)) == said
    assert errors(configured) == said
    return said


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_a_table_whose_rows_take_others_along_is_refused_and_the_others_go_on(
    database_url: str, action: str
) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    lines(database_url, 2, f" ON DELETE {action}")
    run(
        database_url, f"CREATE TABLE other (id INTEGER PRIMARY KEY, created_at {kind_for(database_url)} NULL)"
    )
    run(database_url, "INSERT INTO other SELECT id, created_at FROM audit_event")
    run(database_url, "CREATE INDEX other_at ON other (created_at)")
    (said,) = refusals(settings(database_url, AUDIT, TableSettings("other", "created_at", ttl=90)))
    assert "line" in said
    assert f"ON DELETE {action}" in said
    assert 'set cascade = "allow"' in said
    assert len(ids(database_url)) == 200
    assert len(ids(database_url, "line")) == 400
    assert ids(database_url, "other") == list(range(90))


def test_rows_that_may_go_along_are_counted_by_the_dry_run_and_told_by_the_run(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    lines(database_url, 3)
    run(
        database_url,
        "CREATE TABLE note (id INTEGER PRIMARY KEY, line_id INTEGER,"
        " FOREIGN KEY (line_id) REFERENCES line (id) ON DELETE SET NULL)",
        "CREATE INDEX note_line ON note (line_id)",
        "INSERT INTO note SELECT id, id FROM line",
    )
    configured = settings(database_url, ALLOWED)
    counted = {one.table.split(".")[-1]: one.rows for one in preview(configured) if isinstance(one, Expired)}
    assert counted == {"audit_event": 110, "line": 330}
    assert any("330 rows of" in one.message for one in preview(configured) if isinstance(one, Noticed))
    totals = RunTotals()
    events = clean(configured)
    for event in events:
        totals.add(event)
    told = {one.table.split(".")[-1]: (one.rows, one.changed) for one in totals.removed()}
    assert told == {"audit_event": (110, None), "line": (330, None), "note": (0, 330)}
    assert ids(database_url) == list(range(90))
    assert len(ids(database_url, "line")) == 270
    assert any("also deletes rows of" in one.message for one in events if isinstance(one, Noticed))


@pytest.mark.parametrize("indexed", [True, False])
def test_no_transaction_has_more_rows_than_a_batch_with_those_that_go_along(
    database_url: str, *, indexed: bool
) -> None:
    fill(database_url, 200, kind=kind_for(database_url), indexed=indexed)
    lines(database_url, 50)
    # One event has more lines than a batch may have: it goes by itself.
    run(
        database_url,
        "UPDATE line SET event_id = 150 WHERE event_id > 149 AND event_id < 156",
    )
    limits = TestLimits()
    events = clean(settings(database_url, ALLOWED), limits=limits, cleanup=CleanupSettings(batch_size=200))
    sizes = [event.rows for event in events if isinstance(event, BatchDeleted)]
    assert sum(sizes) == 110 + 110 * 50
    assert sorted(sizes)[-1] == 301
    assert sorted(sizes)[-2] <= 200
    assert ids(database_url) == list(range(90))


def test_a_row_that_takes_more_along_than_the_limit_of_the_run_ends_it(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    lines(database_url, 50)
    left = RowBudget(120)
    limits = TestLimits()
    limits.reserve, limits.settle = left.reserve, left.settle  # type: ignore[method-assign]
    events = clean(settings(database_url, ALLOWED), limits=limits)
    assert isinstance(events[-1], Stopped)
    assert 120 <= sum(event.rows for event in events if isinstance(event, BatchDeleted)) <= 170


def test_a_row_is_passed_over_when_something_points_at_what_would_go_along(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    lines(database_url, 2)
    run(
        database_url,
        "CREATE TABLE pin (id INTEGER PRIMARY KEY, line_id INTEGER,"
        " FOREIGN KEY (line_id) REFERENCES line (id))",
        "CREATE INDEX pin_line ON pin (line_id)",
        "INSERT INTO pin VALUES (1, 1120)",
    )
    events = clean(settings(database_url, ALLOWED))
    assert ids(database_url) == [*range(90), 120]
    (finished,) = [event for event in events if isinstance(event, TableFinished)]
    assert finished.skipped == 1
    assert "pin" in (finished.reason or "")


def test_rows_that_go_along_and_have_a_policy_of_their_own_wait_for_it(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    lines(database_url, 1)
    configured = settings(database_url, AUDIT, TableSettings("line", "at", ttl=150))
    counted = {one.table: one.rows for one in preview(configured) if isinstance(one, Expired)}
    assert counted == {"audit_event": 50, "line": 50}
    assert errors(configured) == []
    events = clean(configured)
    assert ids(database_url) == ids(database_url, "line") == list(range(150))
    (finished,) = [one for one in events if isinstance(one, TableFinished) and one.table == "audit_event"]
    assert finished.skipped == 60
    assert "not expired" in (finished.reason or "")


def test_a_table_under_two_spellings_is_refused(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    if database_url.startswith("mysql"):
        # Names of tables have a case there, unless the server says otherwise.
        return
    again = replace(AUDIT, name="AUDIT_event", ttl=10)
    said = refusals(settings(database_url, AUDIT, again))
    assert len(said) == 2
    assert "table AUDIT_event (audit_event) is configured more than once" in said[1]
    assert len(ids(database_url)) == 200


def test_a_partition_next_to_its_table_is_refused(postgresql_url: str) -> None:
    run(
        postgresql_url,
        "CREATE TABLE audit_event (id INTEGER, created_at TIMESTAMP) PARTITION BY RANGE (created_at)",
        "CREATE TABLE audit_old PARTITION OF audit_event FOR VALUES FROM (minvalue) TO ('2024-01-01')",
        "CREATE INDEX ON audit_event (created_at)",
        "INSERT INTO audit_event VALUES (1, '2020-01-01')",
    )
    old = TableSettings("audit_old", "created_at", ttl=10)
    assert len(refusals(settings(postgresql_url, AUDIT, old))) == 2
    assert ids(postgresql_url) == [1]


def test_a_foreign_key_of_a_partitioned_table_takes_rows_along(postgresql_url: str) -> None:
    run(
        postgresql_url,
        "CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at TIMESTAMP) PARTITION BY RANGE (id)",
        "CREATE TABLE audit_1 PARTITION OF audit_event FOR VALUES FROM (0) TO (100)",
        "CREATE INDEX ON audit_event (created_at)",
        "INSERT INTO audit_event VALUES (1, '2020-01-01')",
        "CREATE TABLE line (id INTEGER PRIMARY KEY, event INTEGER REFERENCES audit_event ON DELETE CASCADE)",
        "CREATE INDEX ON line (event)",
        "INSERT INTO line VALUES (1, 1)",
    )
    (said,) = set(failures(clean(settings(postgresql_url, AUDIT))))
    assert "line" in said
    assert ids(postgresql_url, "line") == [1]
    clean(settings(postgresql_url, ALLOWED))
    assert ids(postgresql_url, "line") == []


def test_a_dormant_cascade_of_sqlite_deletes_nothing(sqlite_url: str) -> None:
    fill(sqlite_url, 200)
    lines(sqlite_url, 1)
    # Without foreign keys, as applications mostly open their files.
    run(sqlite_url, "PRAGMA foreign_keys = OFF", "DELETE FROM audit_event WHERE id = 199")
    assert len(ids(sqlite_url, "line")) == 200
    assert failures(clean(settings(sqlite_url, AUDIT)))
    assert len(ids(sqlite_url, "line")) == 200


def test_sqlite_says_how_a_foreign_key_without_a_unique_index_is_mended(sqlite_url: str) -> None:
    fill(sqlite_url, 200)
    run(sqlite_url, "CREATE TABLE line (id INTEGER PRIMARY KEY, what TEXT REFERENCES audit_event (what))")
    run(sqlite_url, "CREATE INDEX line_what ON line (what)")
    (said,) = refusals(settings(sqlite_url, AUDIT))
    run(sqlite_url, said[said.index("CREATE UNIQUE INDEX") :])
    assert refusals(settings(sqlite_url, AUDIT)) == []
    assert ids(sqlite_url) == list(range(90))


@pytest.mark.parametrize(
    ("columns", "left"),
    [
        ("rowid TEXT", True),
        ("rowid TEXT, oid TEXT", True),
        ("id INTEGER PRIMARY KEY, rowid TEXT, _rowid_ TEXT, oid TEXT", True),
        ("rowid TEXT, _rowid_ TEXT, oid TEXT, a TEXT NOT NULL PRIMARY KEY", True),
        ("rowid TEXT, _rowid_ TEXT, oid TEXT, a TEXT PRIMARY KEY", False),
    ],
)
@pytest.mark.parametrize("indexed", [True, False])
def test_columns_that_are_called_like_the_number_of_a_row_hide_none(
    sqlite_url: str, columns: str, *, left: bool, indexed: bool
) -> None:
    run(
        sqlite_url,
        f"CREATE TABLE event (created_at TEXT, {columns})",
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)"
        f" INSERT INTO event (created_at{', a' if 'a TEXT' in columns else ''})"
        f" SELECT '2020-01-01 00:00:00'{', i' if 'a TEXT' in columns else ''} FROM n",
    )
    if indexed:
        run(sqlite_url, "CREATE INDEX event_at ON event (created_at)")
    said = failures(clean(settings(sqlite_url, TableSettings("event", "created_at", ttl=90))))
    with database(sqlite_url) as cursor:
        assert cursor.execute("SELECT count(*) FROM event").fetchone() == (0 if left else 5000,)
    assert bool(said) is not left


@pytest.mark.parametrize("storage", ["STORED", "VIRTUAL"])
def test_a_generated_column_of_sqlite_can_have_the_time(sqlite_url: str, storage: str) -> None:
    old = int((NOW - timedelta(days=200)).timestamp())
    run(
        sqlite_url,
        "CREATE TABLE event (id INTEGER PRIMARY KEY, s INTEGER,"
        f" at TEXT GENERATED ALWAYS AS (datetime(s, 'unixepoch')) {storage})",
        f"INSERT INTO event (id, s) VALUES (1, {old}), (2, {int(NOW.timestamp())})",
    )
    assert failures(clean(settings(sqlite_url, TableSettings("event", "at", ttl=90)))) == []
    assert ids(sqlite_url, "event") == [2]


def test_of_columns_that_differ_by_case_the_exact_one_is_meant_or_none(postgresql_url: str) -> None:
    run(
        postgresql_url,
        'CREATE TABLE event (id INTEGER, created TIMESTAMP, "Created" TIMESTAMP, "CREATED" TIMESTAMP)',
        "INSERT INTO event VALUES (1, '2024-06-14', '2019-01-01', '2024-06-14')",
    )
    for name, rows in (("created", [1]), ("CREATED", [1]), ("Created", [])):
        if name == "Created":
            (said,) = failures(clean(settings(postgresql_url, TableSettings("event", "creaTed", ttl=90))))
            assert "ambiguous: there are created, Created, CREATED" in said
        clean(settings(postgresql_url, TableSettings("event", name, ttl=90)))
        assert ids(postgresql_url, "event") == rows


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("MATERIALIZED VIEW thing AS SELECT now() AS at", "is a materialized view"),
        ("VIEW thing AS SELECT now() AS at", "is a view"),
        ("SEQUENCE thing", "is a sequence"),
    ],
)
def test_what_holds_no_rows_is_called_what_it_is(postgresql_url: str, definition: str, said: str) -> None:
    run(postgresql_url, f"CREATE {definition}")
    (refusal,) = refusals(settings(postgresql_url, TableSettings("thing", "at", ttl=90)))
    assert f"thing {said}" in refusal


def test_tables_that_inherit_are_neither_counted_nor_deleted_and_told(postgresql_url: str) -> None:
    fill(postgresql_url, 200)
    run(
        postgresql_url,
        "CREATE TABLE audit_2019 () INHERITS (audit_event)",
        "INSERT INTO audit_2019 SELECT * FROM audit_event",
    )
    configured = settings(postgresql_url, AUDIT)
    (expired,) = [one for one in preview(configured) if isinstance(one, Expired)]
    events = clean(configured)
    (finished,) = [one for one in events if isinstance(one, TableFinished)]
    assert expired.rows == finished.rows == 110
    assert any("audit_2019" in one.message for one in events if isinstance(one, Noticed))
    assert any("audit_2019" in one.message for one in check(configured, NOW).findings)
    assert len(ids(postgresql_url, "audit_2019")) == 200
