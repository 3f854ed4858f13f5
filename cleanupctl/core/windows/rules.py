"""What batch windows, their rules and their openings are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

    from cleanupctl.core.times import TimeOfDay

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Names of the weekdays; the place in it is the number used everywhere, 0 is Monday."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in which cleanup may run: aware, in UTC, start inclusive, end exclusive."""

    start: datetime
    end: datetime

    def contains(self, instant: datetime) -> bool:
        """Whether cleanup may run at that instant."""
        return self.start <= instant < self.end

    @property
    def length(self) -> timedelta:
        """Time that really passes between start and end."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class DailyWindow:
    """A window on each day it applies to; an end at or before the start is on the next day.

    Equal start and end are 24 hours of wall clock. Where a time has an offset of its own, the end
    is the first time after the start that its clock shows.
    """

    start: TimeOfDay
    end: TimeOfDay

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class CronWindow:
    """A window that starts at each occurrence of a cron expression and lasts for a duration."""

    expression: str
    duration: timedelta

    def __str__(self) -> str:
        return f"{self.expression} for {self.duration}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Which part of the configuration makes a window."""

    kind: Literal["general", "weekday", "cron"]
    number: int = 0
    """Of a weekday, 0 is Monday; of a cron window, its place from 1; else 0."""

    def __str__(self) -> str:
        match self.kind:
            case "general":
                return "general"
            case "weekday":
                return WEEKDAYS[self.number]
            case "cron":
                return f"cron {self.number}"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A window on the calendar, with where it comes from."""

    window: Window
    day: date
    """The date, by the wall clock of the rule, on which it starts."""
    rule: Rule
    """Of cron windows that run into each other: the rule of the first."""
    clock_change: timedelta
    """How far the clocks of the zone are put forward (or, below zero, back) while it is open."""
    start_moved: bool = False
    """Whether the clocks skip its start, so that it starts at the end of the gap."""

    @property
    def start(self) -> datetime:
        """First instant, in UTC."""
        return self.window.start

    @property
    def end(self) -> datetime:
        """First instant that is outside again, in UTC."""
        return self.window.end

    @property
    def weekday(self) -> int:
        """Weekday of `day`, 0 is Monday."""
        return self.day.weekday()

    @property
    def length(self) -> timedelta:
        """Time that really passes while it is open."""
        return self.window.length


def midnight(day: date) -> datetime:
    """Return the naive wall clock at which a date starts."""
    return datetime.combine(day, time())
