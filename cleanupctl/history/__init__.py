"""Databases being cleaned: one interface, one file per kind of history and per database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanupctl.core.cleaning import History
    from cleanupctl.core.settings import CleanupSettings, HistorySettings
    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.phases import Planner
    from cleanupctl.history.sql import Database


def history(settings: HistorySettings, cleanup: CleanupSettings) -> History:
    """Make a configured history ready to be opened; connects to nothing yet."""
    from cleanupctl.history.batches import Pacing
    from cleanupctl.history.replicas import lag_of
    from cleanupctl.history.session import CleaningHistory

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
            from cleanupctl.history import sqlite

            return sqlite.connect(url)
        case "mysql":
            from cleanupctl.history import mysql

            return mysql.connect(url)
        case _:
            from cleanupctl.history import postgresql

            return postgresql.connect(url)


def _planner(settings: HistorySettings) -> Planner:
    if settings.kind == "camunda" and settings.strategy == "end-time":
        from cleanupctl.history.camunda.end_time import EndTimePlanner

        return EndTimePlanner(settings)
    if settings.kind == "camunda":
        from cleanupctl.history.camunda.removal_time import RemovalTimePlanner

        return RemovalTimePlanner(settings)
    from cleanupctl.history.tables import TablesPlanner

    return TablesPlanner(settings)
