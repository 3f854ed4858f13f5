"""The moment up to which rows have expired, and raw values of time columns as instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from cleanupctl.core import times
from cleanupctl.core.errors import HistoryError
from cleanupctl.core.times import resolve

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cleanupctl.history.databases.catalogue import Column, Table
    from cleanupctl.history.databases.target import Target


_LONGEST_GAP = timedelta(hours=2)
"""By no more than that are clocks put forward in a night."""


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The moment up to which a time column has expired, in every form a column may hold it."""

    instant: datetime
    """Aware, UTC."""
    wall: datetime
    """Naive wall clock of the zone that wrote the history."""

    @property
    def day(self) -> date:
        """The first day that has not wholly passed."""
        return self.wall.date()


def cutoff(instant: datetime, zone: ZoneInfo) -> Cutoff:
    """Return `instant` (aware) on the wall clock of `zone`, on the safe side.

    In the hour that comes twice in autumn a stored wall-clock time may mean either pass; during the
    first pass the boundary is put back by the change, so that no row of the second pass goes early.
    """
    local = instant.astimezone(zone)
    wall = local.replace(tzinfo=None)
    return Cutoff(instant, wall - _repeated(local))


def expiry(now: datetime, days: int, zone: ZoneInfo) -> Cutoff:
    """Return the latest time of what has lived for `days` at `now` (aware), by any reading of a wall clock.

    It is the same wall clock, days earlier. Where the clocks skipped that, what was written right after
    the gap has yet to expire. On a night in which they are moved now, what expires in the hour that comes
    twice waits for the second, and what expires in the one that is skipped for the hour after it.
    """
    until = cutoff(times.cutoff(now, days, zone), zone)
    if until.instant <= times.EARLIEST:
        return until
    local = now.astimezone(zone)
    asked = local.replace(tzinfo=None, fold=0) - timedelta(days=days)
    back = _repeated(local) or _skipped(local)
    if until.wall > asked:
        until = cutoff(until.instant - timedelta(microseconds=1), zone)
    return Cutoff(until.instant - back, min(until.wall, asked - back))


def _repeated(local: datetime) -> timedelta:
    """Return by how much the clocks will be put back, if `local` (aware) is shown again after that."""
    if local.fold:
        return timedelta()
    first, second = local.utcoffset() or timedelta(), local.replace(fold=1).utcoffset() or timedelta()
    return max(first - second, timedelta())


def _skipped(local: datetime) -> timedelta:
    """Return by how much the clocks were put forward, if that was no longer than so much before `local`."""
    zone, instant = local.tzinfo, local.astimezone(UTC)
    before = (instant - _LONGEST_GAP).astimezone(zone).utcoffset() or timedelta()
    size = (local.utcoffset() or timedelta()) - before
    skipped = size > timedelta() and (instant - size).astimezone(zone).utcoffset() == before
    return size if skipped else timedelta()


def epoch(instant: datetime, time_format: str | None, column: Column, table: Table) -> int:
    """Return an instant as the integer that a column holds. Raise HistoryError when the unit is unknown."""
    if time_format == "seconds":
        return int(instant.timestamp())
    if time_format == "milliseconds":
        return int(instant.timestamp() * 1000)
    raise HistoryError(
        f"column {column.name} of table {table.name} is a number: say what it counts with"
        ' time_format = "seconds" or time_format = "milliseconds"'
    )


def as_instant(value: Any, target: Target, zone: ZoneInfo, time_format: str | None) -> datetime | None:
    """Return a time column's raw value as an instant (aware); None for what is no time."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC)
        # MySQL's driver hands instants over without a zone; the session's is UTC.
        return value.replace(tzinfo=UTC) if target.time_column.kind == "instant" else resolve(value, zone)
    if isinstance(value, date):
        return resolve(datetime.combine(value, time()), zone)
    if isinstance(value, int | float):
        seconds = value / 1000 if time_format == "milliseconds" else value
        return datetime.fromtimestamp(seconds, UTC)
    return None
