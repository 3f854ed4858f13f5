"""Orphans: only what belongs to nothing is found and removed, on both databases."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.repair.orphans import TABLES, OrphansPlanner, count_orphans
from cleanupctl.history.databases.key_scans import PrimaryKeyScan
from tests.support.camunda.data import fill
from tests.support.camunda.histories import query, settings
from tests.support.camunda.maintenance import carry_out
from tests.support.servers import connect

if TYPE_CHECKING:
    from tests.support.servers import DatabaseServer

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
REFERENCES = """
ACT_HI_VARINST.BYTEARRAY_ID_ ACT_HI_DETAIL.BYTEARRAY_ID_ ACT_HI_DEC_IN.BYTEARRAY_ID_
ACT_HI_DEC_OUT.BYTEARRAY_ID_ ACT_HI_ATTACHMENT.CONTENT_ID_ ACT_HI_JOB_LOG.JOB_EXCEPTION_STACK_ID_
ACT_HI_EXT_TASK_LOG.ERROR_DETAILS_ID_ ACT_RU_VARIABLE.BYTEARRAY_ID_ ACT_RU_JOB.EXCEPTION_STACK_ID_
ACT_RU_JOB.HANDLER_CFG_ ACT_RU_EXT_TASK.ERROR_DETAILS_ID_ ACT_RU_BATCH.CONFIGURATION_
ACT_ID_USER.PICTURE_ID_ ACT_ID_INFO.VALUE_
"""
"""Read out of the engine's create scripts and code, not out of the list under test."""
OLD, YOUNG = "2024-06-01 12:00:00", "2024-06-15 11:00:00"


def found(url: str, *, delete: bool = False) -> dict[str, int]:
    configured = settings(url)
    if delete:
        return {
            table: rows for table, rows in carry_out(configured, OrphansPlanner(configured)).items() if rows
        }
    return {one.table.upper(): one.rows for one in count_orphans(configured, NOW) if one.rows}


def byte_array(url: str, identity: str, created: str = OLD, deployment: str = "NULL") -> None:
    query(
        url,
        "INSERT INTO ACT_GE_BYTEARRAY (ID_, REV_, NAME_, TYPE_, CREATE_TIME_, DEPLOYMENT_ID_)"
        f" VALUES ('{identity}', 1, 'x', 3, '{created}', {deployment})",
    )


def counts(url: str) -> dict[str, int]:
    tables = ("ACT_HI_DETAIL", "ACT_HI_VARINST", "ACT_HI_TASKINST", "ACT_HI_PROCINST", "ACT_GE_BYTEARRAY")
    return {table: query(url, f"SELECT count(*) FROM {table}")[0][0] for table in tables}


def test_rows_of_trees_that_are_gone_are_removed_and_nothing_else(
    engine_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PrimaryKeyScan, "most_units", 7)
    fill(engine_url, expired_instances=20, unexpired_instances=10, now=NOW, orphans=3)
    before = counts(engine_url)
    assert found(engine_url) == {"ACT_HI_DETAIL": 3}
    assert counts(engine_url) == before
    assert found(engine_url, delete=True) == {"ACT_HI_DETAIL": 3}
    assert counts(engine_url) == before | {"ACT_HI_DETAIL": before["ACT_HI_DETAIL"] - 3}
    assert found(engine_url) == {}


def test_a_tree_stays_as_long_as_one_of_its_instances_is_left_or_runs(engine_postgresql_url: str) -> None:
    url = engine_postgresql_url
    fill(url, expired_instances=10, unexpired_instances=0, now=NOW, orphans=0, unset_instances=0)
    root = query(url, "SELECT ROOT_PROC_INST_ID_ FROM ACT_HI_PROCINST WHERE ID_ <> ROOT_PROC_INST_ID_")[0][0]
    query(url, f"DELETE FROM ACT_HI_PROCINST WHERE ID_ = '{root}'")
    assert found(url) == {}
    query(url, f"DELETE FROM ACT_HI_PROCINST WHERE ROOT_PROC_INST_ID_ = '{root}'")
    assert found(url)["ACT_HI_ACTINST"] > 0
    query(url, f"INSERT INTO ACT_RU_EXECUTION (ID_, REV_, PROC_INST_ID_) VALUES ('{root}', 1, '{root}')")
    assert found(url) == {}


@pytest.mark.parametrize("column", ["PROC_INST_ID_", "ROOT_PROC_INST_ID_"])
def test_a_tree_stays_as_long_as_an_execution_names_it(engine_url: str, column: str) -> None:
    for root in ("gone", "running"):
        detail(engine_url, f"of {root}", root)
    execution = "running" if column == "PROC_INST_ID_" else "below"
    query(
        engine_url, f"INSERT INTO ACT_RU_EXECUTION (ID_, REV_, {column}) VALUES ('{execution}', 1, 'running')"
    )
    assert found(engine_url, delete=True) == {"ACT_HI_DETAIL": 1}
    assert query(engine_url, "SELECT ID_ FROM ACT_HI_DETAIL") == [("of running",)]


def detail(url: str, identity: str, root: str, at: str = OLD) -> None:
    query(
        url,
        "INSERT INTO ACT_HI_DETAIL (ID_, TYPE_, NAME_, TIME_, ROOT_PROC_INST_ID_)"
        f" VALUES ('{identity}', 'VariableUpdate', 'x', '{at}', '{root}')",
    )


def test_what_the_engine_writes_while_orphans_are_removed_stays(
    engine_mariadb_url: str, mariadb_server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long this test takes to arrange what it wants to see.
    monkeypatch.setattr("cleanupctl.history.databases.mysql.database.LOCK_WAIT_SECONDS", 60)
    url, admin = engine_mariadb_url, mariadb_server.admin_url
    waiting = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
    for identity in ("0", "3", "9"):
        detail(url, identity, "gone")
    removed: dict[str, int] = {}
    with connect(url, autocommit=False) as holding, holding.cursor() as cursor:
        cursor.execute("UPDATE ACT_HI_DETAIL SET OPERATION_ID_ = 'held' WHERE ID_ = '3'")
        deleting = threading.Thread(target=lambda: removed.update(found(url, delete=True)))
        deleting.start()
        until = time.monotonic() + 10
        while not query(admin, waiting) and time.monotonic() < until:
            time.sleep(0.05)
        query(
            url,
            "INSERT INTO ACT_HI_PROCINST (ID_, PROC_INST_ID_, ROOT_PROC_INST_ID_, PROC_DEF_ID_, START_TIME_)"
            f" VALUES ('new', 'new', 'new', 'p', '{YOUNG}')",
        )
        detail(url, "5", "new", at=YOUNG)
        holding.rollback()
    deleting.join()
    assert removed == {"ACT_HI_DETAIL": 3}
    assert query(url, "SELECT ID_ FROM ACT_HI_DETAIL") == [("5",)]


def test_byte_arrays_that_nothing_refers_to_are_removed(engine_url: str) -> None:
    query(engine_url, "INSERT INTO ACT_RE_DEPLOYMENT (ID_) VALUES ('d')")
    byte_array(engine_url, "lost")
    byte_array(engine_url, "young", created=YOUNG)
    byte_array(engine_url, "model", deployment="'d'")
    assert found(engine_url, delete=True) == {"ACT_GE_BYTEARRAY": 1}
    assert query(engine_url, "SELECT ID_ FROM ACT_GE_BYTEARRAY ORDER BY ID_") == [("model",), ("young",)]


def test_every_column_that_can_refer_to_a_byte_array_keeps_it(engine_postgresql_url: str) -> None:
    url = engine_postgresql_url
    references = [reference.split(".") for reference in REFERENCES.split()]
    for number, (table, column) in enumerate(references):
        names = query(
            url,
            "SELECT column_name, data_type FROM information_schema.columns"
            f" WHERE table_name = '{table.lower()}'"
            f" AND (is_nullable = 'NO' OR column_name = '{column.lower()}')",
        )
        byte_array(url, f"b{number}")
        values = [_value(name, kind, f"b{number}", column) for name, kind in names]
        query(url, f"INSERT INTO {table} ({', '.join(n for n, _ in names)}) VALUES ({', '.join(values)})")
    assert found(url, delete=True) == {}
    assert query(url, "SELECT count(*) FROM ACT_GE_BYTEARRAY")[0][0] == len(references)


def _value(name: str, kind: str, identity: str, column: str) -> str:
    if name == column.lower():
        return f"'{identity}'"
    if "timestamp" in kind:
        return f"'{OLD}'"
    return "1" if "int" in kind else f"'x{identity}'"


def test_no_byte_array_is_judged_when_a_table_cannot_be_seen(
    engine_mariadb_url: str, mariadb_server: DatabaseServer
) -> None:
    database = parse_url(engine_mariadb_url).database
    byte_array(engine_mariadb_url, "lost")
    admin = mariadb_server.admin_url
    query(admin, "CREATE USER 'half'@'%' IDENTIFIED BY 'secret'")
    try:
        for table in TABLES:
            if table not in ("ACT_RU_BATCH", "ACT_ID_USER"):
                query(admin, f"GRANT SELECT, DELETE ON {database}.{table} TO 'half'@'%'")
        half = replace(
            settings(engine_mariadb_url), url=parse_url(mariadb_server.url("half", "secret", database))
        )
        with pytest.raises(HistoryError, match="ACT_RU_BATCH"):
            carry_out(half, OrphansPlanner(half))
        assert query(engine_mariadb_url, "SELECT ID_ FROM ACT_GE_BYTEARRAY") == [("lost",)]
    finally:
        query(admin, "DROP USER 'half'@'%'")
