"""What `history explain` finds in an engine's tables, held against what a run really removes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cleanupctl.core.settings import CleanupSettings, HistorySettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history import history
from cleanupctl.history.camunda.explain import Decision, decide
from cleanupctl.history.camunda.explain_loading import load_facts
from tests.camunda_data import fill
from tests.limits import TestLimits
from tests.servers import connect
from tests.windows import windows

if TYPE_CHECKING:
    from cleanupctl.history.camunda.explain import Facts

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


def settings(url: str) -> HistorySettings:
    return HistorySettings(name="engine", kind="camunda", url=parse_url(url), timezone=ZoneInfo("UTC"))


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def ids(url: str) -> set[str]:
    tables = ("ACT_HI_PROCINST", "ACT_HI_DECINST", "ACT_HI_CASEINST", "ACT_HI_BATCH")
    return {row[0] for table in tables for row in query(url, f"SELECT ID_ FROM {table}")}


def decided(configured: HistorySettings, identity: str) -> tuple[Facts, Decision]:
    facts = load_facts(configured, identity)
    assert facts is not None
    return facts, decide(facts, NOW, windows(("20:00", "06:00")), ZoneInfo("UTC"))


def test_what_is_said_to_be_due_is_what_a_run_removes(engine_url: str) -> None:
    fill(engine_url, expired_instances=30, unexpired_instances=20, now=NOW, expired_unfinished=10)
    before = ids(engine_url)
    said = {one: decided(settings(engine_url), one)[1].fate for one in before}
    with history(settings(engine_url), CleanupSettings()).open() as session:
        list(session.clean(NOW, TestLimits()))
    assert {one for one, fate in said.items() if fate == "due"} == before - ids(engine_url)
    assert set(said.values()) == {"due", "later", "kept"}


def test_a_child_is_explained_through_its_root(engine_postgresql_url: str) -> None:
    fill(engine_postgresql_url, expired_instances=20, unexpired_instances=0, now=NOW)
    child, root = query(
        engine_postgresql_url,
        "SELECT ID_, ROOT_PROC_INST_ID_ FROM ACT_HI_PROCINST WHERE ID_ <> ROOT_PROC_INST_ID_"
        " AND REMOVAL_TIME_ IS NOT NULL LIMIT 1",
    )[0]
    facts, decision = decided(settings(engine_postgresql_url), child)
    assert (facts.instance.id, facts.root.id, facts.root.definition) == (child, root, "invoice")
    assert f"root {root}'s end and P30D (HISTORY_TTL_ of invoice:1:def)" in decision.rule


def test_the_definition_decides_under_the_end_time_strategy(engine_postgresql_url: str) -> None:
    fill(engine_postgresql_url, expired_instances=20, unexpired_instances=0, now=NOW, unset_instances=5)
    ending = replace(settings(engine_postgresql_url), strategy="end-time")
    legacy = query(
        engine_postgresql_url, "SELECT ID_ FROM ACT_HI_PROCINST WHERE PROC_DEF_ID_ = 'legacy:1:def' LIMIT 1"
    )[0][0]
    assert "definition legacy:1:def has no time to live" in decided(ending, legacy)[1].obstacles[0]
    query(engine_postgresql_url, "DELETE FROM ACT_RE_PROCDEF WHERE KEY_ = 'legacy'")
    assert "its definition is gone" in decided(ending, legacy)[1].obstacles[0]


def test_an_unknown_id_is_nothing(engine_postgresql_url: str) -> None:
    assert load_facts(settings(engine_postgresql_url), "nobody") is None
