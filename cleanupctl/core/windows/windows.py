"""Batch windows: instants in, instants out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from heapq import merge
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.times import parse_duration
from cleanupctl.core.windows.rules import CronWindow, DailyWindow, Occurrence, Rule, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

__all__ = [
    "BatchWindows",
    "CronWindow",
    "DailyWindow",
    "Occurrence",
    "Rule",
    "Window",
    "parse_cron_window",
]

LONGEST_CRON_WINDOW = timedelta(days=31)

_GENERAL = Rule("general")


@dataclass(frozen=True, slots=True)
class BatchWindows:
    """All batch windows of a configuration, and the zone whose wall clock and weekdays they are.

    `general` (every day the same) and `crons` are two forms of the general rule; at most one is
    given. A weekday's own entry replaces it for the windows that start on that day. The times are
    resolved date by date: a start that the clocks skip is the end of the gap, one they show twice
    is the first of the two, an end they show twice is the second. Every `now` must be aware.
    """

    zone: ZoneInfo
    general: DailyWindow | None = None
    crons: tuple[CronWindow, ...] = ()
    weekdays: Mapping[int, DailyWindow | None] = field(default_factory=dict)
    """By number, 0 is Monday; None means that no window starts on that day."""

    def __post_init__(self) -> None:
        if self.general and self.crons:
            raise ValueError("a general daily window and cron windows exclude each other")
        if not set(self.weekdays) <= set(range(7)):
            raise ValueError("weekdays are numbered from 0 to 6")

    @property
    def configured(self) -> bool:
        """Whether there is a window at all."""
        if self.general or self.crons:
            return len(self.weekdays) < 7 or any(self.weekdays.values())
        return any(self.weekdays.values())

    def current_or_next(self, now: datetime) -> Window | None:
        """Return the window that contains `now`, else the next to start; None if there is none.

        Where windows overlap it is the one that started first.
        """
        opening = next(self.occurrences(now, count=1), None)
        return opening.window if opening else None

    def current(self, now: datetime) -> Window | None:
        """Return the window that contains `now`."""
        window = self.current_or_next(now)
        return window if window and window.contains(now) else None

    def next(self, now: datetime) -> Window | None:
        """Return the first window that starts after `now`; one that has begun is not next."""
        return next((opening.window for opening in self.occurrences(now) if opening.start > now), None)

    def occurrences(
        self, start: datetime, *, count: int | None = None, until: datetime | None = None
    ) -> Iterator[Occurrence]:
        """Yield what is open after `start`, by start: first what contains it, then what follows.

        At most `count` of them, and only those that start before `until`; without either it ends
        only when no window follows.
        """
        if not self.configured:
            return iter(())
        after = start.astimezone(UTC)
        ahead = (opening for opening in self._all(after) if opening.end > after)
        if until is not None:
            ahead = (opening for opening in takewhile(lambda each: each.start < until, ahead))
        return ahead if count is None else islice(ahead, count)

    def rules_of(self, day: date) -> tuple[tuple[Rule, DailyWindow | CronWindow | None], ...]:
        """Return what may start windows on a date; None in place of a window: closed on purpose."""
        weekday = day.weekday()
        if weekday in self.weekdays:
            return ((Rule("weekday", weekday), self.weekdays[weekday]),)
        return self.general_rules()

    def general_rules(self) -> tuple[tuple[Rule, DailyWindow | CronWindow], ...]:
        """Return what starts windows on the days without an entry of their own."""
        return ((_GENERAL, self.general),) if self.general else self._cron_rules()

    def _all(self, after: datetime) -> Iterator[Occurrence]:
        from cleanupctl.core.windows.occurrences import cron_occurrences, daily_occurrences

        streams = []
        if self.general or self.weekdays:
            streams.append(daily_occurrences(self._daily_rule, after, self.zone))
        if self.crons and len(self.weekdays) < 7:
            streams.append(cron_occurrences(self._cron_rules(), self._crons_apply, after, self.zone))
        return merge(*streams, key=lambda opening: opening.start)

    def _daily_rule(self, day: date) -> tuple[Rule, DailyWindow] | None:
        weekday = day.weekday()
        if weekday in self.weekdays:
            own = self.weekdays[weekday]
            return (Rule("weekday", weekday), own) if own else None
        return (_GENERAL, self.general) if self.general else None

    def _cron_rules(self) -> tuple[tuple[Rule, CronWindow], ...]:
        return tuple((Rule("cron", number), cron) for number, cron in enumerate(self.crons, start=1))

    def _crons_apply(self, day: date) -> bool:
        return day.weekday() not in self.weekdays


def parse_cron_window(expression: str, duration: str) -> CronWindow:
    """Read a cron expression and a duration such as `2h`. Raises InvalidValueError with the reason."""
    from cleanupctl.core.windows.cron import read_expression

    read_expression(expression)
    length = parse_duration(duration)
    if length > LONGEST_CRON_WINDOW:
        raise InvalidValueError(f"{duration} is too long for a batch window: 31 days are the most")
    return CronWindow(expression, length)
