"""Whether the times of a table, read as the policy says, can be those that it really has.

Read in a wrong unit, every number is far from today: long ago, so that everything has expired, or far ahead.
So a table is refused when its newest time is OLDEST_NEWEST ago or more, which a host's clock that is wrong
by years looks like too, and when one of its numbers is near today in another unit. A single time before
SET_FROM is no reason: it does not expire anyway (`Dialect.expired`). Nor is one far ahead, which often means
"never" in a column of expiry dates.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.cutoff import SET_FROM, cutoff
from cleanupctl.history.databases.units import UnknownUnitError, other_units, readings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.databases.time_column import TimeColumn

OLDEST_NEWEST = timedelta(days=20 * 365)
"""A table whose newest row is older is more likely misread than that old."""
ZERO = 1
"""Up to this number a value says "not set" in many programs, and is read rightly."""
ZERO_DAY = datetime(1970, 1, 3, tzinfo=UTC)
"""Before it a time says the same, whatever the zone."""


def require_plausible(times: TimeColumn, *, unset: bool = False) -> None:
    """Raise HistoryError when the policy reads a table's times in a way that cannot be meant.

    `unset` says that a time which means none was set counts as expired. A handful of index probes, or two
    samples where no index leads with the time.
    """
    reason = next(_reasons(times, unset=unset), None)
    if reason is not None:
        early = not unset and not times.newest(cutoff(times.now + OLDEST_NEWEST, times.zone))
        also = (
            ', and unset_time = "keep-zero", since what lies before 1980 counts as not set' if early else ""
        )
        raise HistoryError(
            f'{reason}. No row of it is deleted: set {_cure(times)}, or implausible_times = "allow" for the'
            f" table if that is what it really has{also}"
        )


def require_unit(times: TimeColumn) -> None:
    """Raise HistoryError when a column has numbers and no unit is configured, or times and one is."""
    column, table = times.column, times.table
    if column.kind in ("wall", "instant", "date") and times.time_format not in (None, "timestamp"):
        raise HistoryError(
            f"column {column.name} of table {table.name} is of type {column.declared}, which counts no"
            f" {times.time_format}: leave time_format out"
        )
    try:
        times.unset()
    except UnknownUnitError as error:
        number = times.largest_number()
        if number is None or number <= ZERO:
            raise
        raise UnknownUnitError(f"{error.message}; its newest value {number} is {readings(number)}") from None


def _reasons(times: TimeColumn, *, unset: bool) -> Iterator[str]:
    newest = times.newest(cutoff(times.now + OLDEST_NEWEST, times.zone))
    if newest and newest[0] < times.now - OLDEST_NEWEST:
        yield _old(times, newest[0])
    if times.counts:
        yield from _misread(times, times.largest_number(), "newest", newest)
        if unset:
            yield from _misread(times, times.smallest_number(ZERO), "smallest", newest)
    elif not newest:
        value = times.latest_unset()
        moment = times.read(value)
        if moment is not None and moment >= ZERO_DAY:
            yield f"{_name(times)} {_written(moment)}, as if a program had stored seconds as milliseconds"


def _old(times: TimeColumn, moment: datetime) -> str:
    years = (times.now - moment).days // 365
    reason = f"{_name(times)} {_written(moment)}, {years} years before now ({_written(times.now)})"
    number = times.largest_number() if times.counts else None
    if number is None:
        return reason
    return f"{reason}, read as {times.time_format}; {number} is {readings(number, without=times.time_format)}"


def _misread(times: TimeColumn, number: float | None, which: str, newest: list[datetime]) -> Iterator[str]:
    if number is None or number <= ZERO:
        return
    moment = times.read(number)
    if moment is not None and SET_FROM <= moment <= times.now + OLDEST_NEWEST:
        return
    near = other_units(
        number, times.now - OLDEST_NEWEST, times.now + OLDEST_NEWEST, without=times.time_format
    )
    too_early = moment is not None and moment < SET_FROM
    if near or (too_early and not newest):
        read = "no date of a calendar" if moment is None else _written(moment)
        yield (
            f"{_name(times, which)} {number}, which is {read} as {times.time_format},"
            f" and {readings(number, without=times.time_format)}"
        )


def _name(times: TimeColumn, which: str = "newest") -> str:
    return f"the {which} {times.column.name} of table {times.table.name} is"


def _cure(times: TimeColumn) -> str:
    return "time_format to what the column counts" if times.counts else "time_column to the one that is meant"


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
