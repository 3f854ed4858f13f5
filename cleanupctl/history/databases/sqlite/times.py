"""When a text in SQLite, which has no type for times, counts as expired."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.history.databases.conditions import Condition

if TYPE_CHECKING:
    from cleanupctl.history.databases.cutoff import Cutoff

DATE_FIRST = "????-??-*"
"""What tells a date, as soon as julianday() takes it, from a time of day or a Julian day number."""


def expired_text(name: str, cutoff: Cutoff) -> Condition:
    """Compare ISO 8601 texts: an offset in the text counts, without one it is wall clock.

    The first comparison is of texts, for the index, and wide enough for any offset and separator; it
    keeps blobs out, and the pattern numbers. What is older than any offset can make up for is not
    looked at for one: functions cost as much as the deleting.
    """
    has_zone = f"({name} GLOB '*[Zz]' OR {name} GLOB '*[+-][0-9][0-9]:[0-9][0-9]')"
    sql = (
        f"{name} <= %s AND {name} GLOB '{DATE_FIRST}'"
        f" AND CASE WHEN julianday({name}) < julianday(%s) THEN 1"
        f" WHEN length({name}) = 10 THEN {name} < %s AND julianday({name}) IS NOT NULL"
        f" WHEN {has_zone} THEN julianday({name}) <= julianday(%s)"
        f" ELSE julianday({name}) <= julianday(%s) END"
    )
    instant = cutoff.instant.replace(tzinfo=None)
    latest_day = (max(instant, cutoff.wall) + timedelta(days=1)).date()
    earliest_day = (min(instant, cutoff.wall) - timedelta(days=2)).date()
    moments = (moment.isoformat(" ", "milliseconds") for moment in (instant, cutoff.wall))
    wide = Condition(f"{name} <= %s", (f"{latest_day}U",))
    parameters = (*wide.parameters, earliest_day.isoformat(), cutoff.day.isoformat(), *moments)
    return Condition(sql, parameters, wide)
