"""The moment up to which rows have expired, and raw values of time columns as instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from cleanupctl.core import times
from cleanupctl.history.databases.units import UNITS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cleanupctl.history.databases.target import Target
    from cleanupctl.history.databases.units import Unit


SET_FROM = datetime(1980, 1, 2, tzinfo=UTC)
"""What is earlier was not written as a time: it is the zero of some calendar (years 1, 1601, 1899, 1904,
1970, 1980), minus infinity, or a number of another unit, read wrongly. It means that no time was set."""

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


def latest_number(cutoff: Cutoff, unit: Unit, *, whole: bool = True) -> tuple[str, float]:
    """Return how, and with which number, a column is compared that counts `unit`, in whole numbers or not.

    A day has expired once it has wholly passed, be it a day of UTC or of the zone.
    """
    if unit is UNITS["days"]:
        return "<", (min(cutoff.day, cutoff.instant.date()) - date(1970, 1, 1)).days
    fine = unit.zero and not whole
    return "<=", unit.number(cutoff.instant) if fine else unit.last_number(cutoff.instant)


def as_instant(value: Any, target: Target, zone: ZoneInfo, time_format: str | None) -> datetime | None:
    """Return a time column's raw value as an instant (aware); None for what is no time of our calendar."""
    return read_value(value, target.time_column.kind, zone, time_format)


def read_value(value: Any, kind: str, zone: ZoneInfo, time_format: str | None) -> datetime | None:
    """Do the same by the kind of the column."""
    try:
        return _read(value, kind, zone, time_format)
    except (ValueError, OverflowError):
        return None


def _read(value: Any, kind: str, zone: ZoneInfo, time_format: str | None) -> datetime | None:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC)
        # MySQL's driver hands instants over without a zone; the session's is UTC.
        return value.replace(tzinfo=UTC) if kind == "instant" else times.resolve(value, zone)
    if isinstance(value, date):
        return times.resolve(datetime.combine(value, time()), zone)
    if isinstance(value, int | float) and time_format in UNITS:
        return UNITS[time_format].instant(value)
    return None
