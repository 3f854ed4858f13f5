"""`history check` on histories of kind `tables`: each planted fault is found, on every database."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.errors import HistoryUnreachableError
from cleanupctl.core.settings import TableSettings, TablesSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.check import check
from tests.support.servers import connect

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


def run(url: str, *statements: str) -> None:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(parse_url(url).database)
        with connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
        return
    with connect(url) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def findings(url: str, *tables: TableSettings) -> list[tuple[str, str | None, str]]:
    settings = TablesSettings(name="audit", url=parse_url(url), timezone=ZoneInfo("UTC"), tables=tables)
    return [(one.severity, one.table, one.message) for one in check(settings, NOW).findings if one.table]


def remedies(url: str, *tables: TableSettings) -> list[str]:
    settings = TablesSettings(name="audit", url=parse_url(url), timezone=ZoneInfo("UTC"), tables=tables)
    return [one.remedy or "" for one in check(settings, NOW).findings if one.table]


EVENT = TableSettings(name="event", time_column="created_at", ttl=30)


def table(url: str, *, indexed: bool = True) -> None:
    kind = "timestamp" if url.startswith("postgresql") else "datetime"
    run(url, f"CREATE TABLE event (id integer PRIMARY KEY, created_at {kind}, note varchar(200))")
    if indexed:
        run(url, "CREATE INDEX event_created_at ON event (created_at)")


def test_nothing_is_found_where_nothing_is_wrong(database_url: str) -> None:
    table(database_url)
    run(database_url, "INSERT INTO event VALUES (1, '2024-06-15 11:59:00', 'x')")
    assert findings(database_url, EVENT) == []


def test_a_missing_index_is_found_and_its_statement_mends_it(database_url: str) -> None:
    table(database_url, indexed=False)
    assert [found[:2] for found in findings(database_url, EVENT)] == [("warning", "event")]
    run(database_url, *remedies(database_url, EVENT))
    assert findings(database_url, EVENT) == []


def test_missing_tables_and_columns_and_unfit_columns_are_errors(database_url: str) -> None:
    table(database_url)
    run(database_url, "CREATE TABLE other (id integer PRIMARY KEY, price double precision)")
    found = findings(
        database_url,
        TableSettings("nowhere", "created_at", 30),
        TableSettings("event", "changed_at", 30),
        TableSettings("other", "price", 30),
    )
    assert [severity for severity, _, _ in found] == ["error"] * 3
    assert "there is no table nowhere" in found[0][2]
    assert "has no column changed_at" in found[1][2]
    assert "which is not a time" in found[2][2]


def test_rows_from_the_future_are_found(database_url: str) -> None:
    table(database_url)
    run(database_url, "INSERT INTO event VALUES (1, '2024-06-15 14:00:00', 'x')")
    ((severity, _, message),) = findings(database_url, EVENT)
    assert severity == "warning"
    assert "2 h 0 min in the future, read as UTC" in message


def test_rows_that_go_along_are_found(database_url: str) -> None:
    table(database_url)
    run(
        database_url,
        "CREATE TABLE detail (id integer PRIMARY KEY, event_id integer,"
        " FOREIGN KEY (event_id) REFERENCES event (id) ON DELETE CASCADE)",
    )
    refused = [one for one in findings(database_url, EVENT) if "index" not in one[2]]
    ((severity, _, message),) = refused
    assert severity == "error"
    assert "also deletes rows of" in message
    assert "detail" in message
    allowed = replace(EVENT, cascade="allow")
    assert [one[0] for one in findings(database_url, allowed) if "index" not in one[2]] == ["hint"]


def test_a_database_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(HistoryUnreachableError):
        findings(f"sqlite:///{tmp_path}/nothing.db", EVENT)
