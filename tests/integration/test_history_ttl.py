"""Changing times to live of definitions, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cleanupctl.history.camunda.repair.ttls import TtlsPlanner, Wanted, all_definitions, meant_definitions
from tests.support.camunda.histories import query, settings
from tests.support.camunda.maintenance import carry_out
from tests.support.servers import connect

if TYPE_CHECKING:
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.engine_table import Kind

ORDER = "order"
ROWS: list[tuple[str, str, int, str | None, int | None]] = [
    ("ACT_RE_PROCDEF", "order:1", 1, None, 5),
    ("ACT_RE_PROCDEF", "order:2", 2, None, 5),
    ("ACT_RE_PROCDEF", "order:t1", 1, "red", None),
    ("ACT_RE_DECISION_DEF", "order:d", 1, None, 7),
]


@pytest.fixture
def defined_url(engine_url: str) -> str:
    with connect(engine_url) as connection, connection.cursor() as cursor:
        for table, identity, version, tenant, ttl in ROWS:
            cursor.execute(
                f"INSERT INTO {table} (ID_, KEY_, VERSION_, TENANT_ID_, HISTORY_TTL_)"
                " VALUES (%s, %s, %s, %s, %s)",
                (identity, ORDER, version, tenant, ttl),
            )
    return engine_url


def ttls(url: str) -> dict[str, int | None]:
    return {one.id: one.ttl for one in all_definitions(settings(url))}


def change(url: str, wanted: Wanted) -> list[Definition]:
    """Set times to live; return the definitions as they were before."""
    meant = meant_definitions(settings(url), wanted)
    carry_out(settings(url), TtlsPlanner(settings(url), meant, wanted.ttl))
    return meant


BEFORE = {identity: ttl for _, identity, _, _, ttl in ROWS}


def test_the_latest_version_of_each_tenant_and_kind_is_changed(defined_url: str) -> None:
    meant = change(defined_url, Wanted(ORDER, 30))
    assert {one.id: one.ttl for one in meant} == {"order:2": 5, "order:t1": None, "order:d": 7}
    assert ttls(defined_url) == BEFORE | {"order:2": 30, "order:t1": 30, "order:d": 30}


def test_kind_tenant_and_versions_choose(defined_url: str) -> None:
    def changed(ttl: int | None, kind: Kind | None, tenant: str | None = None) -> list[str]:
        wanted = Wanted(ORDER, ttl, kind, tenant, all_versions=True)
        return [one.id for one in change(defined_url, wanted)]

    assert changed(None, "decision") == ["order:d"]
    assert ttls(defined_url) == BEFORE | {"order:d": None}
    assert changed(9, "process", "red") == ["order:t1"]
    assert ttls(defined_url) == BEFORE | {"order:d": None, "order:t1": 9}
    assert changed(0, "process") == ["order:1", "order:2", "order:t1"]
    assert ttls(defined_url) == {"order:1": 0, "order:2": 0, "order:t1": 0, "order:d": None}
    assert changed(1, "case") == []


def test_one_version_is_changed(defined_url: str) -> None:
    meant = change(defined_url, Wanted(ORDER, 30, "process", version=1))
    assert [one.id for one in meant] == ["order:1", "order:t1"]
    assert ttls(defined_url) == BEFORE | {"order:1": 30, "order:t1": 30}


def test_the_revision_counts_each_change_and_what_is_right_is_left_alone(defined_url: str) -> None:
    query(defined_url, "UPDATE ACT_RE_PROCDEF SET REV_ = 1")
    change(defined_url, Wanted(ORDER, 5, "process", all_versions=True))
    revisions = dict(query(defined_url, "SELECT ID_, REV_ FROM ACT_RE_PROCDEF"))
    assert revisions == {"order:1": 1, "order:2": 1, "order:t1": 2}
