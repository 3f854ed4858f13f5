"""Batch windows as a picture: a row for each day, as wide as its 24 hours of wall clock.

Where the clocks change, the row keeps its 24 hours: those that are skipped are crossed out, and those
that pass twice are shaded if only one of the two times is within a window.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from cleanupctl.cli.views.window_words import day_in_words
from cleanupctl.core.times import resolve
from cleanupctl.core.windows.rules import midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from cleanupctl.core.windows.windows import Occurrence

_DAY = timedelta(days=1)
_QUARTER = timedelta(minutes=15)
_QUARTERS = _DAY // _QUARTER
_SATURDAY = 5
_LABEL_WIDTH = 18
_HOURS = "".join(f"{hour:<6}" for hour in range(0, 24, 3)) + "24"


class _State(Enum):
    """What a quarter of an hour of a day's wall clock is."""

    CLOSED = 0
    OPEN = 1
    PARTLY = 2
    """It passes twice, and is open one of the two times."""
    SKIPPED = 3


@dataclass(frozen=True, slots=True)
class Strokes:
    """The characters that the picture is made of; each stands for half an hour."""

    open: str
    first: str
    """Open in its first quarter only."""
    second: str
    closed: str
    weekend: str
    """Closed, on a Saturday or Sunday."""
    partly: str
    skipped: str

    @classmethod
    def for_encoding(cls, encoding: str) -> Strokes:
        """Choose what a stream of this encoding can show."""
        try:
            "".join(astuple(BLOCKS)).encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return ASCII
        return BLOCKS


BLOCKS = Strokes("█", "▌", "▐", "·", "░", "▒", "x")
ASCII = Strokes("#", "#", "#", ".", "-", "+", "x")


@dataclass(slots=True)
class _Row:
    """One day."""

    day: date
    length: timedelta
    passes: Mapping[int, int]
    """How often each quarter of the wall clock passes."""
    states: list[_State]
    """Of each quarter of the wall clock."""
    rules: list[str]
    """Of the windows that start on it."""


def draw_calendar(
    occurrences: Iterable[Occurrence], days: tuple[date, date], zone: ZoneInfo, today: date, strokes: Strokes
) -> Iterator[str]:
    """Yield the lines of the picture from the first to the last of `days`.

    `openings` are those of all these days, by start. A window that is open for any part of a quarter
    of an hour fills it.
    """
    seen: set[_State] = set()
    changes: list[str] = []
    month = None
    for row in _rows(occurrences, days, zone):
        if (row.day.year, row.day.month) != month:
            if month:
                yield ""
            month = (row.day.year, row.day.month)
            yield f"  {row.day:%Y-%m}".ljust(_LABEL_WIDTH) + _HOURS
        changed = row.length != _DAY
        if changed:
            changes.append(_what_changes(row))
        seen.update(row.states)
        label = f"{'>' if row.day == today else ' '} {day_in_words(row.day)}{'*' if changed else ''}"
        yield f"{label:<{_LABEL_WIDTH}}{_cells(row, strokes)}  {', '.join(row.rules)}".rstrip()
    yield ""
    yield from changes
    yield _legend(seen, strokes)
    yield f"wall clock of {zone}"


def _rows(occurrences: Iterable[Occurrence], days: tuple[date, date], zone: ZoneInfo) -> Iterator[_Row]:
    ahead = iter(occurrences)
    upcoming = next(ahead, None)
    current: list[Occurrence] = []
    day = days[0]
    while day <= days[1]:
        begin, end = resolve(midnight(day), zone), resolve(midnight(day + _DAY), zone)
        current = [opening for opening in current if opening.end > begin]
        while upcoming and upcoming.start < end:
            current.append(upcoming)
            upcoming = next(ahead, None)
        starting = (opening for opening in current if begin <= opening.start)
        rules = list(dict.fromkeys(str(opening.rule) for opening in starting))
        walls = _walls(begin, end, zone)
        passes = Counter(walls)
        yield _Row(day, end - begin, passes, _states(begin, passes, walls, current), rules)
        day += _DAY


def _states(
    begin: datetime, passes: Mapping[int, int], walls: Sequence[int], occurrences: Sequence[Occurrence]
) -> list[_State]:
    """Return what each quarter of the wall clock of a day is that begins at an instant."""
    is_open = [False] * len(walls)
    for opening in occurrences:
        first = max((opening.start - begin) // _QUARTER, 0)
        last = min(-((begin - opening.end) // _QUARTER), len(walls))
        is_open[first:last] = [True] * max(last - first, 0)
    opens = Counter(wall for wall, is_it in zip(walls, is_open, strict=True) if is_it)
    return [_state(passes[quarter], opens[quarter]) for quarter in range(_QUARTERS)]


def _walls(begin: datetime, end: datetime, zone: ZoneInfo) -> Sequence[int]:
    """Return which quarter of the wall clock passes in each quarter of an hour of a day."""
    if end - begin == _DAY:
        return range(_QUARTERS)
    return [_quarter_of(begin + number * _QUARTER, zone) for number in range(-((begin - end) // _QUARTER))]


def _quarter_of(instant: datetime, zone: ZoneInfo) -> int:
    local = instant.astimezone(zone)
    return (local.hour * 60 + local.minute) // 15


def _state(passes: int, opens: int) -> _State:
    if passes == 0:
        return _State.SKIPPED
    if opens == 0:
        return _State.CLOSED
    return _State.OPEN if opens == passes else _State.PARTLY


def _cells(row: _Row, strokes: Strokes) -> str:
    weekend = row.day.weekday() >= _SATURDAY
    pairs = zip(row.states[::2], row.states[1::2], strict=True)
    return "".join(_cell(first, second, strokes, weekend=weekend) for first, second in pairs)


def _cell(first: _State, second: _State, strokes: Strokes, *, weekend: bool) -> str:
    both = {first, second}
    if both == {_State.OPEN}:
        return strokes.open
    if _State.PARTLY in both:
        return strokes.partly
    if _State.OPEN in both:
        return strokes.first if first is _State.OPEN else strokes.second
    if both == {_State.SKIPPED}:
        return strokes.skipped
    return strokes.weekend if weekend else strokes.closed


def _what_changes(row: _Row) -> str:
    """Say how long a day is on which the clocks change, and which of its hours are not as usual."""
    words = [f"* {day_in_words(row.day)} has {_hours(row.length)}"]
    for passes, what in ((0, "is skipped"), (2, "passes twice")):
        is_such = [row.passes[quarter] == passes for quarter in range(_QUARTERS)]
        edges = [
            number
            for number, (before, after) in enumerate(pairwise([False, *is_such, False]))
            if before != after
        ]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        words += [f"{_clock(first)}-{_clock(last)} {what}" for first, last in pairs]
    return ", ".join(words)


def _hours(length: timedelta) -> str:
    hours, minutes = divmod(length // timedelta(minutes=1), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _clock(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


def _legend(seen: set[_State], strokes: Strokes) -> str:
    parts = [
        f"{strokes.open} open",
        f"{strokes.closed} closed",
        f"{strokes.weekend} closed, weekend",
        "> today",
    ]
    if _State.SKIPPED in seen:
        parts.append(f"{strokes.skipped} skipped")
    if _State.PARTLY in seen:
        parts.append(f"{strokes.partly} passes twice, open once")
    return "  ".join(parts)
