"""Databases being cleaned: one interface, one file per kind of history and per database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanupctl.core.run.cleaning import History
    from cleanupctl.core.settings import CleanupSettings, HistorySettings
    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.cleaning.phases import Planner
    from cleanupctl.history.databases.database import Database


def history(settings: HistorySettings, cleanup: CleanupSettings) -> History:
    """Make a configured history ready to be opened; connects to nothing yet."""
    from cleanupctl.history.cleaning.batches import Pacing
    from cleanupctl.history.cleaning.session import CleaningHistory
    from cleanupctl.history.databases.replicas import lag_of

    return CleaningHistory(
        settings.name,
        lambda: connect(settings.url),
        lambda database: lag_of(settings, database),
        planner=_planner(settings),
        pacing=Pacing(cleanup.batch_time, cleanup.batch_size),
        zone=settings.timezone,
    )


def connect(url: DatabaseUrl) -> Database:
    """Open a connection with the driver that the URL needs. Raises HistoryUnreachableError."""
    match url.scheme:
        case "sqlite":
            from cleanupctl.history.databases.sqlite import database as sqlite

            return sqlite.connect(url)
        case "mysql":
            from cleanupctl.history.databases.mysql import database as mysql

            return mysql.connect(url)
        case _:
            from cleanupctl.history.databases.postgresql import database as postgresql

            return postgresql.connect(url)


def _planner(settings: HistorySettings) -> Planner:
    if settings.kind == "camunda" and settings.strategy == "end-time":
        from cleanupctl.history.camunda.strategies.end_time import EndTimePlanner

        return EndTimePlanner(settings)
    if settings.kind == "camunda":
        from cleanupctl.history.camunda.strategies.removal_time import RemovalTimePlanner

        return RemovalTimePlanner(settings)
    from cleanupctl.history.tables.planner import TablesPlanner

    return TablesPlanner(settings)
