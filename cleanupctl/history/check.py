"""Checking one configured history, whatever its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.databases.findings import LONG_TRANSACTION, Inspected
from cleanupctl.history.databases.servers import connect

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cleanupctl.core.settings import HistorySettings
    from cleanupctl.history.databases.findings import Checked


def check(
    settings: HistorySettings, now: datetime, long_transaction: timedelta = LONG_TRANSACTION
) -> Checked:
    """Look for faults at `now` (aware); changes nothing. Raises HistoryUnreachableError."""
    database = connect(settings.url)
    try:
        inspected = Inspected(settings, database, now, long_transaction)
        if settings.kind == "camunda":
            from cleanupctl.history.camunda.check import check as camunda

            return camunda.check(inspected)
        from cleanupctl.history.tables import check as table_check

        return table_check.check(inspected)
    finally:
        database.close()
