"""When a text or a number in SQLite, which has no type for times, counts as expired."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import SET_FROM, latest_number

if TYPE_CHECKING:
    from cleanupctl.history.databases.cutoff import Cutoff
    from cleanupctl.history.databases.units import Unit

DATE_FIRST = "????-??-*"
"""What tells a date, as soon as julianday() takes it, from a time of day or a Julian day number."""


_EARLIEST_TEXT = SET_FROM.date().isoformat()


def expired_number(name: str, cutoff: Cutoff, unit: Unit, *, unset: bool) -> Condition:
    """Compare numbers, whole or not; `unset` lets those count too that mean no time was set.

    The column compares as a number with the bounds, so that texts and blobs, which come after every
    number, stay out.
    """
    operator, latest = latest_number(cutoff, unit, whole=False)
    upper = Condition(f"{name} {operator} %s", (latest,))
    lower = unit.number(SET_FROM)
    wide = upper if unset else both((Condition(f"{name} >= %s", (lower,)), upper))
    sql = f"{wide.sql} AND typeof({name}) IN ('integer', 'real')"
    return Condition(sql, wide.parameters, wide, None if unset else lower)


def unset_number(name: str, unit: Unit) -> Condition:
    """Return the condition that a number means no time was set."""
    return Condition(f"{name} < %s AND typeof({name}) IN ('integer', 'real')", (unit.number(SET_FROM),))


def expired_text(name: str, cutoff: Cutoff, *, unset: bool) -> Condition:
    """Compare ISO 8601 texts: an offset in the text counts, without one it is wall clock.

    The first comparison is of texts, for the index, and wide enough for any offset and separator; it
    keeps blobs out, and the pattern numbers. What is older than any offset can make up for is not
    looked at for one: functions cost as much as the deleting. `unset` lets those count too that mean no
    time was set.
    """
    has_zone = f"({name} GLOB '*[Zz]' OR {name} GLOB '*[+-][0-9][0-9]:[0-9][0-9]')"
    exact = (
        f"{name} GLOB '{DATE_FIRST}'"
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
    parameters = (earliest_day.isoformat(), cutoff.day.isoformat(), *moments)
    if unset:
        sql = f"{wide.sql} AND ({exact} OR {_zero(name)})"
        return Condition(sql, (*wide.parameters, *parameters), wide)
    wide = both((Condition(f"{name} >= %s", (_EARLIEST_TEXT,)), wide))
    return Condition(f"{wide.sql} AND {exact}", (*wide.parameters, *parameters), wide, _EARLIEST_TEXT)


def unset_text(name: str) -> Condition:
    """Return the condition that a text means no time was set: it is empty, a zero date or too early a one."""
    sql = f"{name} < %s AND ({_readable(name)} OR {_zero(name)})"
    return Condition(sql, (_EARLIEST_TEXT,))


def unreadable_text(name: str) -> Condition:
    """Return the condition that a text is no time that can be read, and stays for that."""
    return Condition(f"typeof({name}) = 'text' AND NOT ({_readable(name)}) AND NOT ({_zero(name)})")


def _readable(name: str) -> str:
    return f"{name} GLOB '{DATE_FIRST}' AND julianday({name}) IS NOT NULL"


def _zero(name: str) -> str:
    return f"{name} = '' OR {name} GLOB '0000-00-00*'"
