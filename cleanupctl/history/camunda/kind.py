"""How a history of kind `camunda` is planned and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.cleaning.tasks import Planner
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.findings import Checked


def planner(settings: CamundaSettings) -> Planner:
    """Return the planner of the history's strategy."""
    from cleanupctl.history.camunda.strategies.registry import strategy_of

    return strategy_of(settings).plan


def check(
    settings: CamundaSettings, database: Database, now: datetime, long_transaction: timedelta
) -> Checked:
    """Look for faults at `now` (aware). Raise HistoryUnreachableError."""
    from cleanupctl.history.camunda.check.check import check as checked
    from cleanupctl.history.camunda.check.inspected import InspectedEngine

    return checked(InspectedEngine(settings, database, now, long_transaction))
