"""What the numbers of a time column may count, and what each unit makes of a number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.databases.catalogue import Column, Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of time, counted from a day in the past."""

    size: timedelta
    zero: float = 0
    """The number of 1 January 1970, 00:00 UTC."""

    def number(self, instant: datetime) -> float:
        """Return the number of an instant (aware)."""
        return self.zero + (instant - _EPOCH) // _MICROSECOND / (self.size // _MICROSECOND)

    def last_number(self, instant: datetime) -> int:
        """Return the last whole number that does not lie after an instant (aware)."""
        if not self.zero:
            return (instant - _EPOCH) // self.size
        return math.floor(self.number(instant))

    def instant(self, number: float) -> datetime | None:
        """Return the instant of a number, in UTC; None beyond the years 1 to 9999."""
        try:
            return _EPOCH + (number - self.zero) * self.size
        except (OverflowError, ValueError):
            return None


UNITS = {
    "seconds": Unit(timedelta(seconds=1)),
    "milliseconds": Unit(timedelta(milliseconds=1)),
    "microseconds": Unit(timedelta(microseconds=1)),
    "days": Unit(timedelta(days=1)),
    "julian-day": Unit(timedelta(days=1), zero=2440587.5),
}
"""By their name as a `time_format`."""


class UnknownUnitError(HistoryError):
    """A column has numbers, and nothing says what they count."""


def unit_of(time_format: str | None, column: Column, table: Table) -> Unit:
    """Return the unit that is configured. Raise UnknownUnitError when there is none: none is guessed."""
    unit = UNITS.get(time_format or "")
    if unit is None:
        formats = [f'time_format = "{name}"' for name in UNITS]
        raise UnknownUnitError(
            f"column {column.name} of table {table.name} is a number: say what it counts with"
            f" {', '.join(formats[:-1])} or {formats[-1]}"
        )
    return unit


def readings(number: float, *, without: str | None = None) -> str:
    """Return what each unit, apart from one, makes of a number, in words."""
    return ", ".join(f"as {name} {moment}" for name, moment in _readings(number) if name != without)


def _readings(number: float) -> Iterator[tuple[str, str]]:
    for name, unit in UNITS.items():
        moment = unit.instant(number)
        yield name, "no date of a calendar" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def other_units(number: float, earliest: datetime, latest: datetime, *, without: str | None) -> list[str]:
    """Return the names of the units, apart from one, by which a number lies between two instants (aware)."""
    read = ((name, unit.instant(number)) for name, unit in UNITS.items() if name != without)
    return [name for name, moment in read if moment is not None and earliest <= moment <= latest]
