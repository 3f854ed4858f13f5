"""`history report` on filled tables: cleanable instances, rows without removal time, orphans, sizes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.settings import HistorySettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda import report as reporting
from cleanupctl.history.camunda.full_report import full_report
from tests.camunda_data import fill
from tests.camunda_policy import expired_counts
from tests.servers import connect

if TYPE_CHECKING:
    from cleanupctl.history.camunda.full_report import FullReport

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


def settings(url: str) -> HistorySettings:
    return HistorySettings(name="engine", kind="camunda", url=parse_url(url), timezone=ZoneInfo("UTC"))


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


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
    causes = {(u.table.upper(), u.cause): u.rows for u in report.unset}
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
    (gone,) = [one for one in report.cleanable if one.definition.gone]
    assert (gone.definition.key, gone.ttl) == ("invoice", None)
    assert gone.cleanable > 0


def test_the_end_time_strategy_counts_by_time_to_live(filled_url: str) -> None:
    ending = replace(settings(filled_url), strategy="end-time")
    report = full_report(ending, NOW, exact=True)
    due = query(
        filled_url,
        "SELECT count(*) FROM ACT_HI_PROCINST WHERE PROC_DEF_ID_ LIKE 'invoice%'"
        " AND END_TIME_ <= '2024-05-16 12:00:00'",
    )[0][0]
    assert by_key(report, "process")["invoice"][1] == due > 0
    assert by_key(report, "process")["legacy"][1] == 0
    cases = by_key(report, "case")["claim"]
    assert cases[0] == query(filled_url, "SELECT count(CLOSE_TIME_) FROM ACT_HI_CASEINST")[0][0] > 0


def test_big_tables_are_estimated_and_the_report_says_so(
    engine_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine_url, expired_instances=600, unexpired_instances=400, now=NOW)
    exact = full_report(settings(engine_url), NOW, exact=True)
    monkeypatch.setattr(reporting, "EXACT_ROWS", 100)
    estimated = full_report(settings(engine_url), NOW, exact=False)
    assert not any(one.estimated for one in exact.cleanable)
    invoices = [
        next(one for one in report.cleanable if one.definition.key == "invoice")
        for report in (exact, estimated)
    ]
    assert invoices[1].estimated
    assert 0.5 * invoices[0].cleanable < invoices[1].cleanable < 2 * invoices[0].cleanable
    assert {found.rows for found in estimated.orphans if found.table.upper() == "ACT_HI_DETAIL"} == {None}
