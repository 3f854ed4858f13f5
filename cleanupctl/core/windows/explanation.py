"""Why the current or next batch window is the one it is: every rule of every day that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from cleanupctl.core.windows.rules import CronWindow, DailyWindow, Occurrence, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.core.windows.windows import BatchWindows

_DAY = timedelta(days=1)
_DAYS_AHEAD = 7


class Verdict(Enum):
    """What came of one rule on one day; the value is a phrase for people."""

    CURRENT = "is open"
    NEXT = "is the next to open"
    OVERLAPPED = "is open too, but another one opened before it"
    OVER = "is over"
    LATER = "opens later"
    MERGED = "is part of a window that is counted on another day"
    CLOSED = "no window starts on this weekday"
    REPLACED = "the weekday has an entry of its own"
    NO_OCCURRENCE = "the cron expression does not occur on this day"
    SKIPPED = "the clocks skip all of it"
    NO_RULE = "no window is configured for this day"


@dataclass(frozen=True, slots=True)
class Considered:
    """One rule on one day."""

    day: date
    rule: Rule | None
    """None on a day for which there is no rule."""
    verdict: Verdict
    opening: Occurrence | None = None
    """The window it makes, if it makes one on this day."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for an instant, and what was looked at for it."""

    now: datetime
    """In UTC."""
    answer: Occurrence | None
    """The current or next opening; its `rule` made the answer."""
    is_open: bool
    """Whether the answer contains `now`."""
    considered: tuple[Considered, ...]
    """By day, from the day before to that of the answer; of a far one a week, and its day."""

    @property
    def others(self) -> tuple[Considered, ...]:
        """What was looked at and is not the answer."""
        return tuple(one for one in self.considered if one.opening is None or one.opening != self.answer)


def explain(windows: BatchWindows, now: datetime) -> Explanation:
    """Find the current or next window of an aware `now`, and say why it is that one."""
    now = now.astimezone(UTC)
    answer = next(windows.occurrences(now, count=1), None)
    days = _days(now.astimezone(windows.zone).date(), answer)
    horizon = now + (_DAYS_AHEAD + 3) * _DAY
    occurrences = list(windows.occurrences(now - 3 * _DAY, until=horizon))
    considered = tuple(one for day in days for one in _of_day(windows, day, occurrences, answer, now))
    return Explanation(now, answer, answer is not None and answer.window.contains(now), considered)


def _days(today: date, answer: Occurrence | None) -> list[date]:
    last = today + _DAYS_AHEAD * _DAY
    if answer:
        last = min(max(answer.day, today), last)
    days = {today + _DAY * number for number in range(-1, (last - today).days + 1)}
    return sorted(days | {answer.day} if answer else days)


def _of_day(
    windows: BatchWindows,
    day: date,
    occurrences: Sequence[Occurrence],
    answer: Occurrence | None,
    now: datetime,
) -> Iterator[Considered]:
    rules = windows.rules_of(day)
    made = [each for each in occurrences if each.day == day]
    if answer and answer.day == day and answer not in made:
        made.append(answer)
    # what is cut out of a long series of cron windows also has days on which none starts
    for each in made:
        yield Considered(day, each.rule, _verdict(each, answer, now), each)
    makers = {each.rule for each in made}
    for rule, window in rules:
        if rule not in makers:
            yield Considered(day, rule, _why_none(day, window))
    if not rules and not made:
        yield Considered(day, None, Verdict.NO_RULE)
    if day.weekday() in windows.weekdays:
        replaced = (rule for rule, _ in windows.general_rules() if rule not in makers)
        yield from (Considered(day, rule, Verdict.REPLACED) for rule in replaced)


def _verdict(opening: Occurrence, answer: Occurrence | None, now: datetime) -> Verdict:
    is_open = opening.window.contains(now)
    if opening == answer:
        return Verdict.CURRENT if is_open else Verdict.NEXT
    if is_open:
        return Verdict.OVERLAPPED
    return Verdict.OVER if opening.end <= now else Verdict.LATER


def _why_none(day: date, window: DailyWindow | CronWindow | None) -> Verdict:
    if window is None:
        return Verdict.CLOSED
    if isinstance(window, DailyWindow):
        return Verdict.SKIPPED
    from cleanupctl.core.windows.cron import read_expression

    return Verdict.MERGED if read_expression(window.expression).occurs_on(day) else Verdict.NO_OCCURRENCE
