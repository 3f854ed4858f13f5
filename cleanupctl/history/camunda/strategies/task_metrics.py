"""The task metrics that have expired: they belong to nothing, and have a time to live of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.tables import TASK_METRICS
from cleanupctl.history.databases.cutoff import expiry
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.tables import Schema

WRITTEN = "TIMESTAMP_"


def task_metrics(schema: Schema, settings: CamundaSettings, now: datetime) -> Target | None:
    """Return the rows that have expired at `now` (aware), by calendar days of the history's zone.

    None when there is no time to live, or no such table.
    """
    days = settings.task_metrics_ttl
    if days is None or not schema.has(TASK_METRICS, WRITTEN):
        return None
    table = schema.tables[TASK_METRICS]
    column = table.column(WRITTEN)
    until = expiry(now, days, settings.timezone)
    return Target(table, column, schema.database.expired(column, until, table, None))
