"""How a history of kind `tables` is planned and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cleanupctl.core.settings import TablesSettings
    from cleanupctl.history.cleaning.tasks import Planner
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.findings import Checked


def planner(settings: TablesSettings) -> Planner:
    """Return the planner of the configured tables."""
    from cleanupctl.history.tables.planner import TablesPlanner

    return TablesPlanner(settings)


def check(
    settings: TablesSettings, database: Database, now: datetime, long_transaction: timedelta
) -> Checked:
    """Look for faults at `now` (aware). Raises HistoryUnreachableError."""
    from cleanupctl.history.databases.checks import Inspected
    from cleanupctl.history.tables.check import check as checked

    return checked(Inspected(settings, database, now, long_transaction), settings.tables)
