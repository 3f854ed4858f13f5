"""Transactions of the end-time strategy: their size, and what changes between choosing and deleting."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.run.cleaning import BatchDeleted, Failed, TableFinished
from cleanupctl.core.settings import CleanupSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.strategies.registry import strategy_of
from cleanupctl.history.databases.errors import StatementTimeoutError
from cleanupctl.history.databases.postgresql.database import PostgreSQL
from cleanupctl.history.databases.servers import connect as connect_database
from tests.support.camunda.end_time import Policy, all_rows, without
from tests.support.camunda.end_time_runs import NOW, clean, execute, filled, notices, removed, settings
from tests.support.camunda.maintenance import counted
from tests.support.limits import TestLimits
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.camunda.end_time import Rows


def before_first_delete(url: str, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> list[int]:
    """Let something happen after the first instances were chosen; returns the rows of each transaction."""
    opened = connect_database(parse_url(url))
    opened.close()
    database: Any = type(opened)
    transact, done = database.transact, list[int]()
    waiting = [act]

    def delete(self: Any, statements: Any, most_rows: int) -> Any:
        while waiting:
            waiting.pop()()
        rows = transact(self, statements, most_rows)
        if rows:
            done.append(sum(rows))
        return rows

    monkeypatch.setattr(database, "transact", delete)
    return done


def some_tree(rows: Rows) -> tuple[str, list[str]]:
    """Return the root of a finished hierarchy of four, and the ids of the others."""
    trees: dict[str, list[str]] = {}
    for one, row in rows["ACT_HI_PROCINST"].items():
        if row["END_TIME_"] is not None:
            trees.setdefault(row["ROOT_PROC_INST_ID_"], []).append(one)
    expired = Policy(rows, NOW).expected()["ACT_HI_PROCINST"]
    root = next(root for root, found in trees.items() if len(found) == 4 and root in expired)
    return root, [one for one in trees[root] if one != root]


def forget_roots(url: str, rows: Rows) -> None:
    """Make the rows as engines before 7.10 wrote them."""
    named = [
        name for name, found in rows.items() if any("ROOT_PROC_INST_ID_" in row for row in found.values())
    ]
    execute(url, *(f"UPDATE {name} SET ROOT_PROC_INST_ID_ = NULL" for name in named))


@pytest.mark.parametrize("batch_size", [10_000, 3])
@pytest.mark.parametrize("rooted", [True, False])
def test_a_tree_stays_whole_when_something_in_it_runs_again_after_it_was_chosen(
    engine_postgresql_url: str, monkeypatch: pytest.MonkeyPatch, batch_size: int, rooted: bool
) -> None:
    url = engine_postgresql_url
    rows = filled(url, 10, 0)
    if not rooted:
        forget_roots(url, rows)
    changed = f"UPDATE ACT_HI_PROCINST SET END_TIME_ = NULL WHERE ID_ = '{some_tree(rows)[1][0]}'"
    before_first_delete(url, monkeypatch, lambda: execute(url, changed))
    before = all_rows(url)
    expected = Policy(before, NOW)
    expected.rows["ACT_HI_PROCINST"][some_tree(rows)[1][0]]["END_TIME_"] = None
    events = clean(settings(url), cleanup=CleanupSettings(batch_size=batch_size))
    assert all_rows(url) == without(before, expected.expected())
    assert "1 instances of act_hi_procinst (invoice:1:def) are kept: they changed" in notices(events)


@pytest.mark.parametrize("batch_size", [10_000, 3])
def test_an_instance_that_has_not_expired_any_more_when_it_is_deleted_stays_whole(
    engine_url: str, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    before = filled(engine_url, 10, 0)
    root, _ = some_tree(before)
    later = NOW.replace(tzinfo=None) - timedelta(days=1)
    changed = f"UPDATE ACT_HI_PROCINST SET END_TIME_ = '{later}' WHERE ID_ = '{root}'"
    before_first_delete(engine_url, monkeypatch, lambda: execute(engine_url, changed))
    before["ACT_HI_PROCINST"][root]["END_TIME_"] = later
    clean(settings(engine_url), cleanup=CleanupSettings(batch_size=batch_size))
    assert all_rows(engine_url) == without(before, Policy(before, NOW).expected())


@pytest.mark.parametrize("batch_size", [10_000, 3])
def test_nothing_more_goes_once_the_time_to_live_of_its_definition_is_another(
    engine_url: str, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    before = filled(engine_url, 20, 0)
    expected = Policy(before, NOW, ttls={"invoice": 10_000}).expected()
    longer = "UPDATE ACT_RE_PROCDEF SET HISTORY_TTL_ = 10000 WHERE KEY_ = 'invoice'"
    before_first_delete(engine_url, monkeypatch, lambda: execute(engine_url, longer))
    clean(settings(engine_url), cleanup=CleanupSettings(batch_size=batch_size))
    assert all_rows(engine_url)["ACT_HI_PROCINST"] == without(before, expected)["ACT_HI_PROCINST"]


@pytest.mark.parametrize("batch_size", [10_000, 3])
def test_an_instance_that_another_table_points_at_is_passed_over_and_told(
    engine_postgresql_url: str, batch_size: int
) -> None:
    url = engine_postgresql_url
    rows = filled(url, 10, 0)
    root, below = some_tree(rows)
    execute(
        url,
        "CREATE TABLE ticket (instance VARCHAR(64) REFERENCES act_hi_procinst (id_))",
        f"INSERT INTO ticket VALUES ('{root}')",
    )
    gone = Policy(rows, NOW).expected()["ACT_HI_VARINST"]
    variables = [rows["ACT_HI_VARINST"][one] for one in sorted(gone)]
    content = next(
        one["BYTEARRAY_ID_"]
        for one in variables
        if one["BYTEARRAY_ID_"] and one["ROOT_PROC_INST_ID_"] != root
    )
    execute(
        url,
        "CREATE TABLE picture (content VARCHAR(64) REFERENCES act_ge_bytearray (id_))",
        f"INSERT INTO picture VALUES ('{content}')",
    )
    planned = counted(settings(url), strategy_of(settings(url)).plan)
    events = clean(settings(url), cleanup=CleanupSettings(batch_size=batch_size))
    expected = Policy(all_rows(url), NOW)
    left = all_rows(url)["ACT_HI_PROCINST"]
    assert root in left
    assert set(expected.expected().get("ACT_HI_PROCINST", ())) <= {root, *below}
    if batch_size > 1000:
        # A dry run counts neither the instance and its contents nor what else is pointed at.
        assert +planned == removed(events)
        kept = Policy(rows, NOW)
        kept.rows["ACT_HI_PROCINST"][root]["END_TIME_"] = None
        assert all_rows(url)["ACT_HI_ACTINST"] == without(rows, kept.expected())["ACT_HI_ACTINST"]
    (told,) = [event for event in events if isinstance(event, TableFinished) and event.skipped]
    assert told.skipped == 1
    assert "1 instances of act_hi_procinst (invoice:1:def) are still referenced" in told.reason
    assert "ticket" in told.reason
    assert not [event for event in events if isinstance(event, Failed)]


def test_a_called_instance_that_names_itself_as_root_stays_with_its_caller(
    engine_postgresql_url: str,
) -> None:
    url = engine_postgresql_url
    rows = filled(url, 10, 10)
    expired = Policy(rows, NOW).expected()["ACT_HI_PROCINST"]
    called = next(
        one
        for one, row in rows["ACT_HI_PROCINST"].items()
        if row["SUPER_PROCESS_INSTANCE_ID_"] and row["END_TIME_"] and one not in expired
    )
    execute(
        url,
        "UPDATE ACT_HI_PROCINST SET ROOT_PROC_INST_ID_ = ID_, END_TIME_ = '2020-01-01'"
        f" WHERE ID_ = '{called}'",
    )
    clean(settings(url))
    assert called in all_rows(url)["ACT_HI_PROCINST"]


@pytest.mark.parametrize("rooted", [True, False])
def test_what_a_stopped_run_has_left_of_a_big_hierarchy_goes_with_the_next_ones(
    engine_postgresql_url: str, *, rooted: bool
) -> None:
    url = engine_postgresql_url
    rows = filled(url, 10, 5)
    if not rooted:
        forget_roots(url, rows)
    # Called instances have no time to live of their own: they go with their root or not at all.
    execute(url, "UPDATE ACT_RE_PROCDEF SET HISTORY_TTL_ = NULL WHERE KEY_ = 'check'")
    before = all_rows(url)
    configured = settings(url)
    for batches in range(7, 20):
        clean(configured, cleanup=CleanupSettings(batch_size=12), limits=TestLimits(batches=batches))
    clean(configured, cleanup=CleanupSettings(batch_size=12))
    assert all_rows(url) == without(before, Policy(before, NOW).expected())


@pytest.mark.parametrize(
    ("batch_time", "sizes"),
    [(timedelta(hours=1), [10, 20, 30]), (timedelta(microseconds=1), [10, *[1] * 50])],
)
def test_a_batch_is_a_transaction_of_as_many_instances_as_its_time_allows(
    engine_postgresql_url: str, monkeypatch: pytest.MonkeyPatch, batch_time: timedelta, sizes: list[int]
) -> None:
    url = engine_postgresql_url
    filled(url, 60, 0)
    # Alone there is one row of an instance for each.
    execute(url, "DELETE FROM ACT_HI_PROCINST WHERE PROC_DEF_ID_ NOT LIKE 'invoice%'")
    (going,) = {len(Policy(all_rows(url), NOW, hierarchy="engine").expected()["ACT_HI_PROCINST"])}
    transactions = before_first_delete(url, monkeypatch, lambda: None)
    events = clean(settings(url, hierarchy="engine"), cleanup=CleanupSettings(batch_time=batch_time))
    batches = [event for event in events if isinstance(event, BatchDeleted)]
    assert [event.rows for event in batches] == transactions
    assert all(sum(rows for _, rows in event.by_table) == event.rows for event in batches)
    instances = [dict(event.by_table).get("act_hi_procinst", 0) for event in batches]
    found = [number for number in instances if number]
    assert sum(found) == going
    assert found[:-1] == sizes[: len(found) - 1]


@pytest.mark.parametrize(("batch_size", "instances"), [(10_000, 30), (10_000, 5), (12, 30)])
def test_a_transaction_that_timed_out_is_not_repeated_with_as_many_rows(
    engine_postgresql_url: str, monkeypatch: pytest.MonkeyPatch, batch_size: int, instances: int
) -> None:
    url = engine_postgresql_url
    before = filled(url, instances, 0)
    transact, fits, tried = PostgreSQL.transact, 2, list[tuple[str, int]]()

    def timing_out(self: Any, statements: Any, most_rows: int) -> Any:
        own = statements[-1]
        # Of whole hierarchies the tops say how many they are, of parts their limit.
        size = own.limit or own.exactly
        tried.append((own.table.name, size))
        if size > fits:
            raise StatementTimeoutError("canceling statement due to statement timeout")
        return transact(self, statements, most_rows)

    monkeypatch.setattr(PostgreSQL, "transact", timing_out)
    clean(settings(url), cleanup=CleanupSettings(batch_size=batch_size))
    assert all_rows(url) == without(before, Policy(before, NOW).expected())
    sizes = [size for table, size in tried if table == "act_hi_procinst"]
    first = sizes.index(max(sizes))
    assert sizes[first] > fits
    assert max(sizes[first + 1 :], default=0) < sizes[first]


@pytest.mark.parametrize("batch_size", [10_000, 3])
def test_a_tree_of_which_another_session_holds_a_row_stays_whole_and_stops_no_other(
    engine_url: str, batch_size: int
) -> None:
    rows = filled(engine_url, 20, 0)
    expected = Policy(rows, NOW).expected()
    root, _ = some_tree(rows)
    of_tree = {
        name: {one for one in found if rows[name][one].get("ROOT_PROC_INST_ID_") == root}
        for name, found in expected.items()
    }
    with connect(engine_url, autocommit=False) as holder, holder.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM ACT_HI_PROCINST WHERE ID_ = '{root}' FOR UPDATE")
        events = clean(settings(engine_url), cleanup=CleanupSettings(batch_size=batch_size))
    assert "that other sessions held" in notices(events)
    left = all_rows(engine_url)
    assert root in left["ACT_HI_PROCINST"]
    for name, ids in expected.items():
        # Whoever holds the top of a tree that is deleted in parts keeps what has not been deleted by then.
        assert ids & left[name].keys() <= of_tree[name], name
        if batch_size > 3:
            assert ids & left[name].keys() == of_tree[name] or not of_tree[name], name
    clean(settings(engine_url))
    assert all_rows(engine_url) == without(rows, expected)
