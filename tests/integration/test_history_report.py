"""`history report` on filled tables: cleanable instances, rows without removal time, orphans, sizes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.settings import BatchTtls, CleanupSettings, TtlOverride
from cleanupctl.history.camunda.report import scope
from cleanupctl.history.camunda.report.report import full_report
from cleanupctl.history.kinds import history
from tests.support.camunda.data import fill
from tests.support.camunda.end_time import Policy, all_rows
from tests.support.camunda.histories import query, settings
from tests.support.camunda.policy import expired_counts
from tests.support.limits import TestLimits

if TYPE_CHECKING:
    from cleanupctl.core.settings import Hierarchy
    from cleanupctl.history.camunda.report.report import FullReport

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def filled_url(engine_postgresql_url: str) -> str:
    return _filled(engine_postgresql_url)


def _filled(url: str) -> str:
    fill(url, expired_instances=100, unexpired_instances=60, now=NOW, unset_instances=10, orphans=3)
    return url


def by_key(report: FullReport, kind: str) -> dict[str | None, tuple[int, int]]:
    found: Counter[tuple[str | None, str]] = Counter()
    for one in report.cleanable:
        if one.definition.kind == kind:
            found[one.definition.key, "finished"] += one.finished
            found[one.definition.key, "cleanable"] += one.cleanable
    return {key: (found[key, "finished"], found[key, "cleanable"]) for key, _ in found}


def test_the_report_says_what_is_there(engine_url: str) -> None:
    filled_url = _filled(engine_url)
    report = full_report(settings(filled_url), NOW, exact=True)
    expired = expired_counts(filled_url, NOW)

    finished = query(
        filled_url,
        "SELECT PROC_DEF_ID_, count(*) FROM ACT_HI_PROCINST WHERE END_TIME_ IS NOT NULL GROUP BY 1",
    )
    processes = [one for one in report.cleanable if one.definition.kind == "process"]
    assert {one.definition.id: one.finished for one in processes if one.finished} == dict(finished)
    assert sum(one.cleanable for one in processes) == expired["ACT_HI_PROCINST"]
    assert {one.definition.key: one.ttl for one in processes} | {"legacy": None} == {
        "invoice": 30, "archive": 365, "check": 7, "legacy": None,
    }  # fmt: skip
    decisions = [one for one in report.cleanable if one.definition.kind == "decision"]
    assert sum(one.cleanable for one in decisions) == expired["ACT_HI_DECINST"]
    assert sum(batch.cleanable for batch in report.batches) == expired["ACT_HI_BATCH"]

    sizes = {size.table.upper(): size for size in report.sizes}
    for table, rows in expired.items():
        if sizes[table].expired is not None:
            assert (table, sizes[table].expired) == (table, rows)
    details = sizes["ACT_HI_DETAIL"]
    assert details.bytes > 0
    assert 0 < (details.freed or 0) <= details.bytes
    oldest = query(filled_url, "SELECT min(REMOVAL_TIME_) FROM ACT_HI_DETAIL")[0][0]
    assert details.oldest == oldest.replace(tzinfo=UTC)
    assert {found.table.upper(): found.rows for found in report.orphans}["ACT_HI_DETAIL"] == 3


def test_rows_without_removal_time_have_a_cause(filled_url: str) -> None:
    report = full_report(settings(filled_url), NOW, exact=True)
    causes = {(u.table.upper(), u.cause): u.rows for u in report.without_removal_time}
    unset = query(
        filled_url,
        "SELECT count(*) FROM ACT_HI_PROCINST c JOIN ACT_HI_PROCINST r ON r.ID_ = c.ROOT_PROC_INST_ID_"
        " WHERE r.END_TIME_ IS NOT NULL AND r.REMOVAL_TIME_ IS NULL AND c.REMOVAL_TIME_ IS NULL",
    )[0][0]
    assert unset == 10
    assert causes["ACT_HI_PROCINST", "instance ended without a removal time"] == unset
    for table in ("ACT_HI_PROCINST", "ACT_HI_ACTINST", "ACT_HI_OP_LOG"):
        rows = query(filled_url, f"SELECT count(*) FROM {table} WHERE REMOVAL_TIME_ IS NULL")[0][0]
        assert sum(found for (name, _), found in causes.items() if name == table) == rows


def test_a_definition_that_is_gone_is_reported(filled_url: str) -> None:
    query(filled_url, "DELETE FROM ACT_RE_PROCDEF WHERE KEY_ = 'invoice'")
    report = full_report(settings(filled_url), NOW, exact=True)
    (gone,) = [one for one in report.cleanable if one.definition.missing]
    assert (gone.definition.key, gone.ttl) == ("invoice", None)
    assert gone.cleanable > 0


@pytest.mark.parametrize("hierarchy", ["root", "engine"])
def test_what_is_cleanable_under_the_end_time_strategy_is_what_must_go(
    filled_url: str, hierarchy: Hierarchy
) -> None:
    # A root that has ended, while what it called runs.
    query(filled_url, "UPDATE ACT_HI_PROCINST SET END_TIME_ = NULL WHERE ID_ = (SELECT min(ID_) FROM"
          " ACT_HI_PROCINST WHERE ID_ <> ROOT_PROC_INST_ID_ AND END_TIME_ < '2024-03-01')")  # fmt: skip
    ending = replace(
        settings(filled_url),
        strategy="end-time",
        hierarchy=hierarchy,
        ttls=(TtlOverride("invoice", 20),),
        default_ttl=50,
        batch_ttl=BatchTtls(by_type={"instance-deletion": 10}),
    )
    rows = all_rows(filled_url)
    policy = Policy(
        rows, NOW, hierarchy=hierarchy, ttls={"invoice": 20}, default_ttl=50,
        batch_ttls={"instance-deletion": 10},
    )  # fmt: skip
    gone = policy.expected()
    report = full_report(ending, NOW, exact=True)
    for kind, table, column in (
        ("process", "ACT_HI_PROCINST", "PROC_DEF_ID_"),
        ("decision", "ACT_HI_DECINST", "DEC_DEF_ID_"),
        ("case", "ACT_HI_CASEINST", "CASE_DEF_ID_"),
    ):
        expected = Counter(rows[table][one][column] for one in gone[table])
        found = [one for one in report.cleanable if one.definition.kind == kind]
        assert {one.definition.id: one.cleanable for one in found if one.cleanable} == expected
        assert not any(one.estimated for one in found)
    sizes = {size.table.upper(): (size.expired or 0, size.estimated) for size in report.sizes}
    for table, ids in gone.items():
        assert (table, sizes.pop(table)) == (table, (len(ids), False))
    assert set(sizes.values()) == {(0, False)}
    instances = next(size for size in report.sizes if size.table.upper() == "ACT_HI_PROCINST")
    ends = [rows["ACT_HI_PROCINST"][one]["END_TIME_"] for one in gone["ACT_HI_PROCINST"]]
    assert instances.oldest == min(ends).replace(tzinfo=UTC)


def test_the_removal_time_strategy_counts_nothing_that_a_run_keeps(engine_postgresql_url: str) -> None:
    fill(engine_postgresql_url, expired_instances=40, unexpired_instances=10, now=NOW, expired_unfinished=10)
    report = full_report(settings(engine_postgresql_url), NOW, exact=True)
    before = query(engine_postgresql_url, "SELECT count(*) FROM ACT_HI_PROCINST")[0][0]
    with history(settings(engine_postgresql_url), CleanupSettings()).open() as session:
        list(session.clean(NOW, TestLimits()))
    removed = before - query(engine_postgresql_url, "SELECT count(*) FROM ACT_HI_PROCINST")[0][0]
    assert sum(one.cleanable for one in report.cleanable if one.definition.kind == "process") == removed
    assert {size.table.upper(): size.expired for size in report.sizes}["ACT_HI_PROCINST"] == removed


def test_expired_task_metrics_are_counted(filled_url: str) -> None:
    metrics = replace(settings(filled_url), task_metrics_ttl=30)
    sizes = {size.table.upper(): size for size in full_report(metrics, NOW, exact=True).sizes}
    due = query(filled_url, "SELECT count(*), min(TIMESTAMP_) FROM ACT_RU_TASK_METER_LOG"
                " WHERE TIMESTAMP_ <= '2024-05-16 12:00:00'")[0]  # fmt: skip
    found = sizes["ACT_RU_TASK_METER_LOG"]
    assert due[0] > 0
    assert (found.expired, found.oldest) == (due[0], due[1].replace(tzinfo=UTC))


def test_hierarchies_that_are_too_many_to_be_counted_are_estimated_by_their_roots(
    engine_postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine_postgresql_url, expired_instances=400, unexpired_instances=300, now=NOW)
    # What is called expires at once by its own definition, but goes with its root only.
    ending = replace(settings(engine_postgresql_url), strategy="end-time", ttls=(TtlOverride("check", 0),))
    exact = by_key(full_report(ending, NOW, exact=True), "process")["check"]
    monkeypatch.setattr(scope, "EXACT_ROWS", 100)
    estimated = full_report(ending, NOW, exact=False)
    found = next(one for one in estimated.cleanable if one.definition.key == "check")
    assert found.estimated
    assert 0.8 * exact[1] < found.cleanable < 1.2 * exact[1]
    details = next(size for size in estimated.sizes if size.table.upper() == "ACT_HI_DETAIL")
    assert details.estimated
    assert 0 < (details.expired or 0) < details.rows


def test_big_tables_are_estimated_and_the_report_says_so(
    engine_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine_url, expired_instances=600, unexpired_instances=400, now=NOW)
    exact = full_report(settings(engine_url), NOW, exact=True)
    monkeypatch.setattr(scope, "EXACT_ROWS", 100)
    estimated = full_report(settings(engine_url), NOW, exact=False)
    assert not any(one.estimated for one in exact.cleanable)
    invoices = [
        next(one for one in report.cleanable if one.definition.key == "invoice")
        for report in (exact, estimated)
    ]
    assert invoices[1].estimated
    # Without a time to live there is no removal time: what expires, expires elsewhere.
    legacy = next(one for one in estimated.cleanable if one.definition.key == "legacy")
    assert legacy.finished > 0 == legacy.cleanable
    assert 0.5 * invoices[0].cleanable < invoices[1].cleanable < 2 * invoices[0].cleanable
    assert {found.rows for found in estimated.orphans if found.table.upper() == "ACT_HI_DETAIL"} == {None}
