"""Removal-time strategy: no row of a tree goes in which anything runs, whatever happened since the look."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.run.cleaning import Expired, Failed, Noticed
from cleanupctl.core.settings import CleanupSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.servers import connect as connect_database
from cleanupctl.history.kinds import history
from tests.support.camunda.histories import query, settings
from tests.support.cleaning import NOW, clean
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Callable

ORDER = {"PROC_DEF_ID_": "order:1:d"}
OLD, PAST = "2023-01-10 08:00:00", "2023-06-10 08:00:00"


def insert(execute: Callable[..., Any], table: str, **values: Any) -> None:
    marks = ", ".join(["%s"] * len(values))
    execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def add_instance(
    execute: Callable[..., Any],
    name: str,
    *,
    root: str | None,
    end: str | None = OLD,
    removal: str | None = PAST,
    rows: str | None = PAST,
) -> None:
    """Add an instance; `removal` is what its own row has, `rows` what everything that belongs to it has."""
    own: dict[str, Any] = {"ROOT_PROC_INST_ID_": root, "REMOVAL_TIME_": rows}
    inside = {"PROC_INST_ID_": name, **own}
    # The instance comes last: who locks a row of it before has not written it yet.
    for number in range(3):
        insert(
            execute, "ACT_HI_ACTINST", ID_=f"{name}-a{number}", EXECUTION_ID_=name, **ORDER,
            ACT_ID_="pack", ACT_TYPE_="userTask", START_TIME_=OLD, END_TIME_=end, **inside,
        )  # fmt: skip
    insert(execute, "ACT_GE_BYTEARRAY", ID_=f"{name}-b", REV_=1, TYPE_=3, CREATE_TIME_=OLD, **own)
    insert(
        execute, "ACT_HI_VARINST", ID_=f"{name}-v", NAME_="paper", VAR_TYPE_="file", CREATE_TIME_=OLD,
        BYTEARRAY_ID_=f"{name}-b", **inside,
    )  # fmt: skip
    insert(
        execute, "ACT_HI_TASKINST", ID_=f"{name}-t", NAME_="pack", START_TIME_=OLD, **inside,
    )  # fmt: skip
    insert(
        execute,
        "ACT_HI_IDENTITYLINK",
        ID_=f"{name}-l",
        TIMESTAMP_=OLD,
        TASK_ID_=f"{name}-t",
        USER_ID_="ann",
        **own,
    )
    insert(
        execute, "ACT_HI_DECINST", ID_=f"{name}-d", DEC_DEF_ID_="rate:1:d", DEC_DEF_KEY_="rate",
        EVAL_TIME_=OLD, **inside,
    )  # fmt: skip
    insert(execute, "ACT_HI_DEC_IN", ID_=f"{name}-i", DEC_INST_ID_=f"{name}-d", CREATE_TIME_=OLD, **own)
    insert(
        execute, "ACT_RU_AUTHORIZATION", ID_=f"{name}-p", REV_=1, TYPE_=1, RESOURCE_TYPE_=20,
        RESOURCE_ID_=name, USER_ID_=name, PERMS_=4, **own,
    )  # fmt: skip
    insert(
        execute, "ACT_HI_PROCINST", ID_=name, PROC_INST_ID_=name, PROC_DEF_KEY_="order", **ORDER,
        START_TIME_=OLD, END_TIME_=end, ROOT_PROC_INST_ID_=root, REMOVAL_TIME_=removal,
    )  # fmt: skip


TABLES = (
    "ACT_HI_PROCINST", "ACT_HI_ACTINST", "ACT_GE_BYTEARRAY", "ACT_HI_VARINST", "ACT_HI_TASKINST",
    "ACT_HI_IDENTITYLINK", "ACT_HI_DECINST", "ACT_HI_DEC_IN", "ACT_RU_AUTHORIZATION",
)  # fmt: skip


def counts(url: str, prefix: str) -> dict[str, int]:
    """Return how many rows of each table belong to instances whose name begins with `prefix`."""
    return {
        table: query(url, f"SELECT count(*) FROM {table} WHERE ID_ LIKE '{prefix}%'")[0][0]
        for table in TABLES
    }


def fill(url: str, *instances: tuple[str, dict[str, Any]]) -> None:
    with connect(url) as connection, connection.cursor() as cursor:
        for name, values in instances:
            add_instance(cursor.execute, name, **values)


GONE = ("gone", {"root": "gone"})


def cleaned(url: str) -> None:
    """Run, and see that what belongs to a finished tree is deleted, and that the dry run said so."""
    with history(settings(url), CleanupSettings()).open() as session:
        counted = {one.table.upper(): one.rows for one in session.preview(NOW) if isinstance(one, Expired)}
    expected = counts(url, "gone")
    assert {table: counted.get(table, 0) for table in TABLES} == expected
    events = clean(settings(url))
    assert not [event for event in events if isinstance(event, Failed)]
    assert not any(counts(url, "gone").values())


def test_a_called_instance_that_runs_on_keeps_the_tree_of_its_ended_root(engine_url: str) -> None:
    fill(engine_url, GONE, ("kept-r", {"root": "kept-r"}), ("kept-c", {"root": "kept-r", "end": None}))
    before = counts(engine_url, "kept")
    cleaned(engine_url)
    assert counts(engine_url, "kept") == before
    clean(replace(settings(engine_url), include_unfinished=True))
    assert not any(counts(engine_url, "kept").values())


def test_rows_of_a_running_instance_stay_where_setting_removal_times_was_interrupted(engine_url: str) -> None:
    fill(engine_url, GONE, ("kept", {"root": "kept", "end": None, "removal": None}))
    before = counts(engine_url, "kept")
    cleaned(engine_url)
    assert counts(engine_url, "kept") == before


def test_a_tree_whose_root_has_no_row_any_more_stays_while_a_part_of_it_runs(engine_url: str) -> None:
    fill(
        engine_url,
        GONE,
        ("kept-c", {"root": "lost"}),
        ("kept-g", {"root": "lost", "end": None, "removal": None}),
    )
    before = counts(engine_url, "kept")
    cleaned(engine_url)
    assert counts(engine_url, "kept") == before


def test_rows_that_name_no_root_stay_while_their_instance_runs(engine_url: str) -> None:
    fill(engine_url, ("kept", {"root": None, "end": None, "removal": None}))
    before = counts(engine_url, "kept")
    clean(settings(engine_url))
    after = counts(engine_url, "kept")
    # Nothing leads from a byte array that names no root to its instance.
    assert {**after, "ACT_GE_BYTEARRAY": 1} == {**before, "ACT_GE_BYTEARRAY": 1}


def test_what_an_engine_commits_while_a_delete_waits_for_its_rows_stays(engine_url: str) -> None:
    """The rows are there and locked before the delete looks, and committed with their instance after it."""
    fill(engine_url, GONE)
    with connect(engine_url, autocommit=False) as engine:
        with engine.cursor() as cursor:
            add_instance(cursor.execute, "kept", root="kept", end=None)

        def commit() -> None:
            time.sleep(0.3)
            engine.commit()

        committing = threading.Thread(target=commit)
        committing.start()
        clean(settings(engine_url))
        committing.join()
    assert counts(engine_url, "kept")["ACT_HI_PROCINST"] == 1
    assert counts(engine_url, "kept") == {
        **counts(engine_url, "kept"),
        "ACT_HI_ACTINST": 3,
        "ACT_HI_VARINST": 1,
    }
    assert not any(counts(engine_url, "gone").values())


@pytest.mark.parametrize("table", ["ACT_HI_ACTINST", "ACT_HI_VARINST", "ACT_HI_DECINST", "ACT_GE_BYTEARRAY"])
def test_what_an_engine_commits_between_the_look_and_the_delete_stays(
    engine_url: str, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    fill(engine_url, GONE)
    opened = connect_database(parse_url(engine_url))
    opened.close()
    database: Any = type(opened)
    transact, waiting = database.transact, [1]

    def late(self: Any, statements: Any, most_rows: int) -> Any:
        if waiting and statements[0].table.name.upper() == table:
            waiting.pop()
            fill(engine_url, ("kept-r", {"root": "kept-r"}), ("kept-c", {"root": "kept-r", "end": None}))
        return transact(self, statements, most_rows)

    monkeypatch.setattr(database, "transact", late)
    clean(settings(engine_url))
    assert not waiting
    assert counts(engine_url, "kept") == dict.fromkeys(TABLES, 2) | {"ACT_HI_ACTINST": 6}


def test_a_row_that_another_session_holds_keeps_its_root(engine_postgresql_url: str) -> None:
    url = engine_postgresql_url
    fill(url, GONE)
    with connect(url) as connection, connection.cursor() as cursor:
        # So few of the rows have expired that the time index is followed.
        cursor.execute(
            "INSERT INTO ACT_HI_VARINST (ID_, PROC_INST_ID_, NAME_, CREATE_TIME_, REMOVAL_TIME_) SELECT"
            " 'other' || n, 'other', 'paper', '2024-01-01', '2030-01-01' FROM generate_series(1, 20000) AS n"
        )
        cursor.execute("ANALYZE ACT_HI_VARINST")
    with connect(url, autocommit=False) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ACT_HI_VARINST WHERE ID_ = 'gone-v' FOR UPDATE")
        events = clean(settings(url))
        told = [one.message for one in events if isinstance(one, Noticed)]
        held = [one for one in told if "other sessions hold" in one]
        assert "act_hi_varinst" in held[0]
        assert [counts(url, "gone")[table] for table in ("ACT_HI_VARINST", "ACT_HI_PROCINST")] == [1, 1]
        holder.rollback()
    clean(settings(url))
    assert not any(counts(url, "gone").values())


def test_a_row_that_a_foreign_key_keeps_keeps_its_root(engine_url: str) -> None:
    fill(engine_url, GONE, ("kept", {"root": "kept"}), ("later", {"root": "later"}))
    query(engine_url, "UPDATE ACT_HI_VARINST SET REMOVAL_TIME_ = '2030-01-01' WHERE ID_ = 'later-v'")
    with connect(engine_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE contract AS SELECT ID_ FROM ACT_HI_VARINST WHERE ID_ = 'kept-v'")
        cursor.execute("ALTER TABLE contract ADD FOREIGN KEY (ID_) REFERENCES ACT_HI_VARINST (ID_)")
    before = counts(engine_url, "")
    with history(settings(engine_url), CleanupSettings()).open() as session:
        counted = {one.table.upper(): one.rows for one in session.preview(NOW) if isinstance(one, Expired)}
    clean(settings(engine_url))
    after = counts(engine_url, "")
    # A dry run knows which children will be left, and that they keep their root.
    assert {table: counted[table] for table in TABLES} == {one: before[one] - after[one] for one in TABLES}
    assert not any(counts(engine_url, "gone").values())
    kept = counts(engine_url, "kept")
    assert [kept[one] for one in ("ACT_HI_VARINST", "ACT_GE_BYTEARRAY", "ACT_HI_PROCINST")] == [1, 1, 1]


@pytest.mark.parametrize("turn", ["ACT_RU_AUTHORIZATION", "ACT_HI_PROCINST"])
def test_what_is_committed_after_its_tables_turn_goes_with_its_root_or_stays_with_it(
    engine_url: str, monkeypatch: pytest.MonkeyPatch, turn: str
) -> None:
    fill(engine_url, GONE, ("late", {"root": "late", "removal": None, "rows": None}))
    opened = connect_database(parse_url(engine_url))
    opened.close()
    database: Any = type(opened)
    transact, waiting = database.transact, [1]

    def late(self: Any, statements: Any, most_rows: int) -> Any:
        if waiting and statements[0].table.name.upper() == turn:
            waiting.pop()
            for table in TABLES:
                query(engine_url, f"UPDATE {table} SET REMOVAL_TIME_ = '{PAST}' WHERE ID_ LIKE 'late%'")
        return transact(self, statements, most_rows)

    monkeypatch.setattr(database, "transact", late)
    clean(settings(engine_url))
    assert not waiting
    found = counts(engine_url, "late")
    assert found["ACT_HI_PROCINST"] == (1 if any(found.values()) else 0)
    clean(settings(engine_url))
    assert not any(counts(engine_url, "late").values())
