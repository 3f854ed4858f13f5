"""One run over a history at a fixed time, whatever kind it is of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import BatchDeleted
from cleanupctl.core.settings import CleanupSettings, HistorySettings
from cleanupctl.history.kinds import history
from tests.support.limits import TestLimits

if TYPE_CHECKING:
    from cleanupctl.core.run.cleaning import Event


NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


def clean(
    configured: HistorySettings, *, limits: TestLimits | None = None, cleanup: CleanupSettings | None = None
) -> list[Event]:
    with history(configured, cleanup or CleanupSettings()).open() as session:
        return list(session.clean(NOW, limits or TestLimits()))


def deleted(events: list[Event]) -> int:
    return sum(event.rows for event in events if isinstance(event, BatchDeleted))
