"""Carrying out what a person does in an engine's history, without a process or a job store."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import Expired, Failed
from cleanupctl.core.run.events import RunTotals
from cleanupctl.core.settings import CleanupSettings
from cleanupctl.history.kinds import history_with
from tests.support.limits import TestLimits

if TYPE_CHECKING:
    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.cleaning.tasks import Planner

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


def carry_out(
    settings: CamundaSettings,
    planner: Planner,
    *,
    cleanup: CleanupSettings | None = None,
    limits: TestLimits | None = None,
) -> Counter[str]:
    """Do what is planned; return the rows that were deleted or changed, by table in upper case."""
    totals = RunTotals()
    with history_with(planner, settings, cleanup or CleanupSettings()).open() as session:
        for event in session.clean(NOW, limits or TestLimits()):
            if isinstance(event, Failed):
                raise event.error
            totals.add(event)
    rows = totals.rows + totals.changed
    return Counter({table.upper(): number for (_, table), number in rows.items()})


def counted(settings: CamundaSettings, planner: Planner) -> Counter[str]:
    """Return the rows that would be deleted or changed, by table in upper case."""
    rows: Counter[str] = Counter()
    with history_with(planner, settings, CleanupSettings()).open() as session:
        for event in session.preview(NOW):
            if isinstance(event, Expired):
                rows[event.table.upper()] += event.rows
    return rows
