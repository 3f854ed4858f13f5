"""Checking one configured history, whatever its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.databases.checks import LONG_TRANSACTION
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.kinds import kind_of

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
        return kind_of(settings).check(settings, database, now, long_transaction)
    finally:
        database.close()
