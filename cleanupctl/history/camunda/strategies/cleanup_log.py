"""The job log entries of the engine's own history cleanup, which have a time to live of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME
from cleanupctl.history.camunda.schema.tables import JOB_LOG
from cleanupctl.history.camunda.strategies import cascades
from cleanupctl.history.camunda.strategies.eligibility import PerInstance
from cleanupctl.history.camunda.strategies.without_instance import CLEANUP_LOG
from cleanupctl.history.cleaning.candidates import Group
from cleanupctl.history.cleaning.hierarchies import CascadeTask
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.cutoff import expiry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.tables import Schema


def cleanup_log(
    schema: Schema, settings: CamundaSettings, now: datetime, *, without_removal_time: bool = False
) -> Iterator[CascadeTask]:
    """Yield what removes the job log entries of the engine's own cleanup, if they have a time to live.

    With `without_removal_time` only those that have no removal time of their own.
    """
    days = settings.cleanup_log_ttl
    if days is None or not schema.has(JOB_LOG, "JOB_DEF_TYPE_"):
        return
    until = expiry(now, days, settings.timezone)
    # Such entries have no process instance, and saying so leads to them by an index.
    empty = ["PROCESS_INSTANCE_ID_", *((REMOVAL_TIME,) if without_removal_time else ())]
    conditions = [Condition(f"t.{schema.column(JOB_LOG, 'JOB_DEF_TYPE_')} = %s", (CLEANUP_LOG,))]
    conditions += [
        Condition(f"t.{schema.column(JOB_LOG, column)} IS NULL")
        for column in empty
        if schema.has(JOB_LOG, column)
    ]
    eligibility = PerInstance("ID_", cascades.cleanup_log_plan(schema))
    group = Group(
        JOB_LOG,
        CLEANUP_LOG,
        "TIMESTAMP_",
        until,
        tuple(conditions),
        "ID_",
        (),
        eligibility,
        "ID_",
        "instances",
    )
    yield CascadeTask(schema, group)
