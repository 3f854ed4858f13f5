"""Runs of the end-time strategy over an engine's tables, each of which must not fail."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cleanupctl.core.run.cleaning import BatchDeleted, Failed, Noticed
from cleanupctl.core.settings import CamundaSettings, CleanupSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.kinds import history
from tests.support.camunda.data import fill
from tests.support.camunda.end_time import Rows, all_rows
from tests.support.cleaning import NOW
from tests.support.limits import TestLimits
from tests.support.servers import connect

if TYPE_CHECKING:
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Event


def settings(url: str, **changes: Any) -> CamundaSettings:
    plain = CamundaSettings(name="engine", url=parse_url(url), timezone=ZoneInfo("UTC"), strategy="end-time")
    return replace(plain, **changes)


def clean(
    configured: CamundaSettings,
    *,
    limits: TestLimits | None = None,
    cleanup: CleanupSettings | None = None,
    now: datetime = NOW,
) -> list[Event]:
    with history(configured, cleanup or CleanupSettings()).open() as session:
        events = list(session.clean(now, limits or TestLimits()))
    assert not [event for event in events if isinstance(event, Failed)]
    return events


def removed(events: list[Event]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for event in events:
        if isinstance(event, BatchDeleted):
            counts.update({table.upper(): rows for table, rows in event.by_table})
    return dict(counts)


def notices(events: list[Event]) -> str:
    return "\n".join(event.message for event in events if isinstance(event, Noticed))


def filled(url: str, expired: int = 60, unexpired: int = 60) -> Rows:
    fill(url, expired_instances=expired, unexpired_instances=unexpired, now=NOW, interleaved=True, orphans=0)
    return all_rows(url)


def execute(url: str, *statements: str) -> None:
    with connect(url) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
