"""PostgreSQL's tables that inherit: only the one that is configured is cleaned, whatever the access path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.postgresql.scans import delete_some
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.databases.statements import delete_within
from tests.support.contract import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgresql

ROWS = 1_000


@pytest.fixture
def place(postgresql_url: str) -> Iterator[Place]:
    database = connect(parse_url(postgresql_url))
    yield Place("postgresql", postgresql_url, database, None)
    database.close()


@pytest.mark.parametrize(("expired", "path"), [(20, "index"), (900, "sweep")])
def test_rows_of_tables_that_inherit_stay(place: Place, expired: int, path: str) -> None:
    target = place.events(ROWS, expired)
    scan = place.database.scan(target)
    assert scan.access_path == path
    place.run(
        "CREATE TABLE special (more INTEGER) INHERITS (event)",
        "CREATE INDEX ON special (at)",
        "INSERT INTO special SELECT *, 1 FROM ONLY event",
    )
    found = 0
    while not (batch := scan.run(50, 60)).done:
        found += batch.rows
    assert found + batch.rows == expired
    assert len(place.rows("SELECT 1 FROM special")) == ROWS
    assert len(place.rows("SELECT 1 FROM ONLY event")) == ROWS - expired


def test_rows_of_tables_that_inherit_stay_when_only_some_rows_of_a_range_are_deleted(place: Place) -> None:
    target = place.events(100, 100)
    place.run(
        "CREATE TABLE special (more INTEGER) INHERITS (event)",
        "INSERT INTO special SELECT *, 1 FROM ONLY event",
    )
    delete = delete_within(target, Condition("t.id < 50"))
    assert delete_some(place.database, delete, 60)[0] == 50
    assert len(place.rows("SELECT 1 FROM special")) == 100
