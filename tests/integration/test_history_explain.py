"""What `history explain` finds in an engine's tables, held against what a run really removes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.settings import BatchTtls, CamundaSettings, CleanupSettings
from cleanupctl.history.camunda.explain.decision import Decision, decide
from cleanupctl.history.camunda.explain.facts import load_facts
from cleanupctl.history.kinds import history
from tests.support.camunda.data import fill
from tests.support.camunda.histories import query, settings
from tests.support.limits import TestLimits
from tests.support.windows import windows

if TYPE_CHECKING:
    from cleanupctl.core.settings import Hierarchy, Strategy
    from cleanupctl.history.camunda.strategies.explained import Facts

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


def ids(url: str) -> set[str]:
    tables = ("ACT_HI_PROCINST", "ACT_HI_DECINST", "ACT_HI_CASEINST", "ACT_HI_BATCH")
    return {row[0] for table in tables for row in query(url, f"SELECT ID_ FROM {table}")}


def decided(configured: CamundaSettings, identity: str) -> tuple[Facts, Decision]:
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


@pytest.mark.parametrize("hierarchy", ["root", "engine"])
def test_the_same_under_the_end_time_strategy(engine_postgresql_url: str, hierarchy: Hierarchy) -> None:
    url = engine_postgresql_url
    fill(url, expired_instances=30, unexpired_instances=20, now=NOW, expired_unfinished=10, unset_instances=6)
    query(url, "UPDATE ACT_HI_DECINST SET CASE_INST_ID_ = (SELECT min(ID_) FROM ACT_HI_CASEINST),"
          " PROC_INST_ID_ = NULL, ROOT_PROC_INST_ID_ = NULL"
          " WHERE ID_ = (SELECT min(ID_) FROM ACT_HI_DECINST)")  # fmt: skip
    # A root that has ended, while what it called runs.
    query(url, "UPDATE ACT_HI_PROCINST SET END_TIME_ = NULL WHERE ID_ = (SELECT min(ID_) FROM ACT_HI_PROCINST"
          " WHERE ID_ <> ROOT_PROC_INST_ID_ AND END_TIME_ < '2024-03-01')")  # fmt: skip
    ending = replace(
        settings(url),
        strategy="end-time",
        hierarchy=hierarchy,
        default_ttl=40,
        batch_ttl=BatchTtls(default=20),
    )
    before = ids(url)
    said = {one: decided(ending, one)[1].fate for one in before}
    with history(ending, CleanupSettings()).open() as session:
        list(session.clean(NOW, TestLimits()))
    assert {one for one, fate in said.items() if fate == "due"} == before - ids(url)
    assert set(said.values()) == {"due", "later", "kept"}


def test_decisions_go_with_their_case_and_both_are_told(engine_postgresql_url: str) -> None:
    url = engine_postgresql_url
    fill(url, expired_instances=20, unexpired_instances=0, now=NOW)
    case, decision = query(
        url,
        "SELECT min(c.ID_), min(d.ID_) FROM ACT_HI_CASEINST c, ACT_HI_DECINST d",
    )[0]
    query(
        url,
        f"UPDATE ACT_HI_DECINST SET CASE_INST_ID_ = '{case}', PROC_INST_ID_ = NULL, ROOT_PROC_INST_ID_ = NULL"
        f" WHERE ID_ = '{decision}'",
    )
    ending = replace(settings(url), strategy="end-time")
    assert decided(ending, case)[1].notes[0] == (
        "1 decision that it evaluated goes with it, whatever its own time to live"
    )
    facts, told = decided(ending, decision)
    assert (facts.root.id, facts.root.ttl_source) == (case, "HISTORY_TTL_ of claim:1:case")
    assert told.notes[0] == f"it goes with its case instance {case}, whatever its own time to live"


@pytest.mark.parametrize("strategy", ["removal-time", "end-time"])
def test_a_foreign_key_of_another_table_is_in_the_way(engine_postgresql_url: str, strategy: Strategy) -> None:
    url = engine_postgresql_url
    fill(url, expired_instances=10, unexpired_instances=0, now=NOW, referenced_bytes=0)
    (root,) = query(
        url,
        "SELECT min(ID_) FROM ACT_HI_PROCINST WHERE ID_ = ROOT_PROC_INST_ID_ AND REMOVAL_TIME_ IS NOT NULL"
        " AND PROC_DEF_ID_ LIKE 'invoice%'",
    )[0]
    configured = replace(settings(url), strategy=strategy)
    assert decided(configured, root)[1].fate == "due"
    query(
        url,
        "CREATE TABLE ticket (id integer PRIMARY KEY, instance varchar(64),"
        " FOREIGN KEY (instance) REFERENCES ACT_HI_PROCINST (ID_))",
    )
    query(url, f"INSERT INTO ticket VALUES (1, '{root}')")
    _, decision = decided(configured, root)
    assert decision.fate == "kept"
    (obstacle,) = decision.obstacles
    assert "is referenced by a foreign key of" in obstacle
    assert "ticket" in obstacle
    with history(configured, CleanupSettings()).open() as session:
        list(session.clean(NOW, TestLimits()))
    assert query(url, f"SELECT count(*) FROM ACT_HI_PROCINST WHERE ID_ = '{root}'") == [(1,)]


def test_byte_arrays_that_the_engine_still_needs_keep_no_instance(engine_postgresql_url: str) -> None:
    url = engine_postgresql_url
    fill(url, expired_instances=10, unexpired_instances=0, now=NOW)
    (root, array) = query(
        url,
        "SELECT v.PROC_INST_ID_, BYTEARRAY_ID_ FROM ACT_HI_VARINST v JOIN ACT_HI_PROCINST p"
        " ON p.ID_ = v.ROOT_PROC_INST_ID_ WHERE BYTEARRAY_ID_ IS NOT NULL AND p.REMOVAL_TIME_ < '2024-06-15'"
        " AND p.ID_ = v.PROC_INST_ID_ LIMIT 1",
    )[0]
    query(
        url,
        "INSERT INTO ACT_RU_VARIABLE (ID_, REV_, TYPE_, NAME_, BYTEARRAY_ID_)"
        f" VALUES ('live', 1, 'object', 'live', '{array}')",
    )
    for strategy in ("removal-time", "end-time"):
        _, decision = decided(replace(settings(url), strategy=strategy), root)  # type: ignore[arg-type]
        assert decision.fate == "due"
        assert "act_ge_bytearray stay as long as a foreign key of" in "".join(decision.notes)


def test_a_child_is_explained_through_its_root(engine_postgresql_url: str) -> None:
    fill(engine_postgresql_url, expired_instances=20, unexpired_instances=0, now=NOW)
    child, root = query(
        engine_postgresql_url,
        "SELECT ID_, ROOT_PROC_INST_ID_ FROM ACT_HI_PROCINST WHERE ID_ <> ROOT_PROC_INST_ID_"
        " AND REMOVAL_TIME_ IS NOT NULL LIMIT 1",
    )[0]
    facts, decision = decided(settings(engine_postgresql_url), child)
    assert (facts.instance.id, facts.root.id, facts.root.definition) == (child, root, "invoice")
    assert f"root instance {root}'s end and P30D (HISTORY_TTL_ of invoice:1:def)" in decision.rule


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
