"""Whether the engine cleans the same database by itself, and whether it still tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.times import format_instant
from cleanupctl.history.camunda.schema.tables import JOBS
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.findings import Finding
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

    from cleanupctl.history.camunda.check.inspected import InspectedEngine
    from cleanupctl.history.camunda.schema.tables import Schema

_ACTIVE = 1
_TURN_OFF = "leave the work to one of the two: set historyCleanupEnabled=false in the engine's configuration"


def engine_cleanup(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    """Yield findings about the jobs of the engine's own history cleanup."""
    if JOBS not in schema.tables:
        return
    names = ("RETRIES_", "SUSPENSION_STATE_", "DUEDATE_")
    columns = ", ".join(schema.column(JOBS, name) for name in names)
    handler = schema.column(JOBS, "HANDLER_TYPE_")
    sql = f"SELECT {columns} FROM {schema.quoted(JOBS)} WHERE {handler} = 'history-cleanup'"
    jobs = schema.database.query(sql)
    if not jobs:
        return
    used_up = [job for job in jobs if job[0] is not None and job[0] <= 0]
    alive = [job for job in jobs if job not in used_up and job[1] == _ACTIVE]
    if used_up:
        yield Finding(
            "warning",
            schema.tables[JOBS].name,
            f"the engine's own history cleanup is dead: the retries of {len(used_up)} of its {len(jobs)} jobs"
            " are used up, and only a restart of the engine or a new call of its cleanup would change that",
            _TURN_OFF,
        )
    if alive:
        yield Finding(
            "warning",
            schema.tables[JOBS].name,
            f"the engine's own history cleanup is active on this database: {_count(len(alive))}, "
            f"{_due(inspected, schema, alive)}; both get in each other's way",
            _TURN_OFF,
        )
    if not used_up and not alive:
        yield Finding(
            "hint",
            schema.tables[JOBS].name,
            f"the engine's own history cleanup has {_count(len(jobs))}, all suspended",
        )


def _count(jobs: int) -> str:
    return "1 job" if jobs == 1 else f"{jobs} jobs"


def _due(inspected: InspectedEngine, schema: Schema, jobs: list[tuple[Any, ...]]) -> str:
    table = schema.tables[JOBS]
    target = Target(table, table.column("DUEDATE_"), Condition(""))
    zone = inspected.settings.timezone
    found = (as_instant(job[2], target, zone, None) for job in jobs)
    moments: list[datetime] = sorted(moment for moment in found if moment is not None)
    return f"next due {format_instant(moments[0], zone)}" if moments else "without a due date"
