"""The kinds of histories: what plans and checks each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanupctl.core.run.cleaning import History
    from cleanupctl.core.settings import CleanupSettings, HistorySettings
    from cleanupctl.history.cleaning.phases import Planner


def history(settings: HistorySettings, cleanup: CleanupSettings) -> History:
    """Make a configured history ready to be opened; connects to nothing yet."""
    from cleanupctl.history.cleaning.batches import Pacing
    from cleanupctl.history.cleaning.session import CleaningHistory
    from cleanupctl.history.databases.replicas import lag_of
    from cleanupctl.history.databases.servers import connect

    return CleaningHistory(
        settings.name,
        lambda: connect(settings.url),
        lambda database: lag_of(settings, database),
        planner=_planner(settings),
        pacing=Pacing(cleanup.batch_time, cleanup.batch_size),
        zone=settings.timezone,
    )


def _planner(settings: HistorySettings) -> Planner:
    if settings.kind == "camunda" and settings.strategy == "end-time":
        from cleanupctl.history.camunda.strategies.end_time import EndTimePlanner

        return EndTimePlanner(settings)
    if settings.kind == "camunda":
        from cleanupctl.history.camunda.strategies.removal_time import RemovalTimePlanner

        return RemovalTimePlanner(settings)
    from cleanupctl.history.tables.planner import TablesPlanner

    return TablesPlanner(settings)
