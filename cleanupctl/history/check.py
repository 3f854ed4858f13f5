"""Checking one configured history, whatever its kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.core.run.clocks import NOTICED, skew
from cleanupctl.history.databases.checks import LONG_TRANSACTION
from cleanupctl.history.databases.findings import Finding
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from cleanupctl.core.settings import HistorySettings
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.findings import Checked


def check(
    settings: HistorySettings,
    now: datetime,
    long_transaction: timedelta = LONG_TRANSACTION,
    max_clock_skew: timedelta | None = None,
) -> Checked:
    """Look for faults at `now` (aware); changes nothing. Raises HistoryUnreachableError.

    Without `max_clock_skew`, `now` is another moment than that of this host's clock.
    """
    database = connect(settings.url)
    try:
        clocks = tuple(_clocks(database, now, max_clock_skew)) if max_clock_skew else ()
        checked = kind_of(settings).check(settings, database, now, long_transaction)
        return replace(checked, findings=(*clocks, *database.in_between(), *checked.findings))
    finally:
        database.close()


def _clocks(database: Database, now: datetime, most: timedelta) -> Iterator[Finding]:
    """Compare this host's clock with the server's, as a run does."""
    found = skew(now, database.server_time(), "its database")
    remedy = "keep both by NTP"
    if found is None or found.apart <= min(NOTICED, most):
        return
    if found.apart > most:
        yield Finding("error", None, f"{found}: a run deletes nothing while one of them is wrong", remedy)
    else:
        yield Finding("warning", None, f"{found}: the earlier of the two counts", remedy)
