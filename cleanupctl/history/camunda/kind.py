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
    if settings.strategy == "end-time":
        from cleanupctl.history.camunda.strategies.end_time import EndTimePlanner

        return EndTimePlanner(settings)
    from cleanupctl.history.camunda.strategies.removal_time import RemovalTimePlanner

    return RemovalTimePlanner(settings)


def check(
    settings: CamundaSettings, database: Database, now: datetime, long_transaction: timedelta
) -> Checked:
    """Look for faults at `now` (aware). Raises HistoryUnreachableError."""
    from cleanupctl.history.camunda.check.check import check as checked
    from cleanupctl.history.camunda.check.inspected import InspectedEngine

    return checked(InspectedEngine(settings, database, now, long_transaction))
