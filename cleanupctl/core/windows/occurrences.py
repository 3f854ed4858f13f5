"""From the rules of batch windows to concrete openings, in the order in which they start."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from cleanupctl.core.times import at_offset, resolve
from cleanupctl.core.windows.cron import read_expression
from cleanupctl.core.windows.rules import CronWindow, DailyWindow, Occurrence, Rule, Window, midnight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo

    from cleanupctl.core.times import TimeOfDay

LONGEST_MERGED = timedelta(days=7)
"""How long cron windows that run into each other stay one window; see `cron_openings`."""

_DAY = timedelta(days=1)
_LAST_DAY = date(9998, 12, 1)
# a date starts within a day of its midnight in UTC, in every zone and at every offset
_EARLY = timedelta(days=1)
_DAILY_PATIENCE = timedelta(days=60)
_CRON_PATIENCE = timedelta(days=2 * 366)
# 29 February on the one weekday without an entry of its own can be 40 years away
_PATIENCE_FOR_DATES = timedelta(days=41 * 366)


def daily_occurrences(
    rule_of: Callable[[date], tuple[Rule, DailyWindow] | None], after: datetime, zone: tzinfo
) -> Iterator[Occurrence]:
    """Yield the openings of daily windows that end after an instant, and maybe a few older ones."""

    def of_day(day: date) -> Iterable[Occurrence]:
        applying = rule_of(day)
        opening = daily_occurrence(day, applying[1], applying[0], zone) if applying else None
        return (opening,) if opening else ()

    # a window lasts a day, and a change of the clocks or an offset moves it by less than another two
    return _in_order(of_day, after.date() - 4 * _DAY, _DAILY_PATIENCE)


def daily_occurrence(day: date, window: DailyWindow, rule: Rule, zone: tzinfo) -> Occurrence | None:
    """Return the window of one date, or None where the clocks skip all of it."""
    start = _at(day, window.start, zone)
    end = _end(day, window, start, zone)
    if end <= start:
        return None
    moved = window.start.offset is None and _is_skipped(_wall_clock(day, window.start), start, zone)
    return _opening(start, end, day, rule, zone, moved=moved)


def _end(day: date, window: DailyWindow, start: datetime, zone: tzinfo) -> datetime:
    if window.start.offset is None and window.end.offset is None:
        same_day = _wall_clock(day, window.end) > _wall_clock(day, window.start)
        return _at(day if same_day else day + _DAY, window.end, zone, latest=True)
    ends = (_at(day + shift * _DAY, window.end, zone, latest=True) for shift in range(-2, 4))
    return next(end for end in ends if end > start)


def _at(day: date, time: TimeOfDay, zone: tzinfo, *, latest: bool = False) -> datetime:
    wall_clock = _wall_clock(day, time)
    if time.offset is not None:
        return at_offset(wall_clock, time.offset)
    return resolve(wall_clock, zone, latest=latest)


def _wall_clock(day: date, time: TimeOfDay) -> datetime:
    return midnight(day) + timedelta(hours=time.hour, minutes=time.minute)


def _is_skipped(wall_clock: datetime, instant: datetime, zone: tzinfo) -> bool:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0) != wall_clock


def _opening(
    start: datetime, end: datetime, day: date, rule: Rule, zone: tzinfo, *, moved: bool = False
) -> Occurrence:
    before = start.astimezone(zone).utcoffset() or timedelta(0)
    # a change at the very end is no longer inside
    after = (end - timedelta.resolution).astimezone(zone).utcoffset() or timedelta(0)
    return Occurrence(Window(start, end), day, rule, after - before, moved)


def cron_occurrences(
    rules: Sequence[tuple[Rule, CronWindow]],
    applies_to: Callable[[date], bool],
    after: datetime,
    zone: tzinfo,
) -> Iterator[Occurrence]:
    """Yield the openings of cron windows that end after an instant, and some older ones.

    Windows that overlap or touch are one window. If that gets longer than a week (and than the
    longest duration), it is cut at each midnight of the zone: an expression and a duration that
    never close make one window a day. So an answer does not depend on when it is asked for.
    """
    limit = max(LONGEST_MERGED, *(window.duration for _, window in rules))

    def of_day(day: date) -> Iterable[Occurrence]:
        if not applies_to(day):
            return
        for rule, window in rules:
            if read_expression(window.expression).occurs_on(day):
                yield from cron_day(day, window, rule, zone)

    # twice the limit: what starts before that cannot reach a window that is still one window
    first = after.date() - 2 * limit - 3 * _DAY
    schedules = [read_expression(window.expression) for _, window in rules]
    dates = any(each.days_of_month and not each.days_of_week for each in schedules)
    return _merged(_in_order(of_day, first, _PATIENCE_FOR_DATES if dates else _CRON_PATIENCE), limit, zone)


@lru_cache(maxsize=256)
def cron_day(day: date, window: CronWindow, rule: Rule, zone: tzinfo) -> tuple[Occurrence, ...]:
    """Return the windows that start on a date on which the expression occurs; they may overlap."""
    start_of_day, next_day = midnight(day), midnight(day) + _DAY
    begins = resolve(start_of_day, zone)
    if resolve(next_day, zone, latest=True) - begins == _DAY:
        return tuple(
            _opening(begins + first, begins + last + window.duration, day, rule, zone)
            for first, last in _runs(window)
        )
    # the clocks change on this day: each wall clock once, and resolved by itself
    starts = [
        (start_of_day + time, resolve(start_of_day + time, zone))
        for time in read_expression(window.expression).times
    ]
    return tuple(
        _opening(start, start + window.duration, day, rule, zone, moved=_is_skipped(wall_clock, start, zone))
        for wall_clock, start in starts
    )


@lru_cache(maxsize=64)
def _runs(window: CronWindow) -> tuple[tuple[timedelta, timedelta], ...]:
    """First and last occurrence of a day in each series whose windows run into each other."""
    runs: list[tuple[timedelta, timedelta]] = []
    for time in read_expression(window.expression).times:
        if runs and time - runs[-1][1] <= window.duration:
            runs[-1] = (runs[-1][0], time)
        else:
            runs.append((time, time))
    return tuple(runs)


def _merged(occurrences: Iterable[Occurrence], limit: timedelta, zone: tzinfo) -> Iterator[Occurrence]:
    first: Occurrence | None = None
    start = end = datetime.min.replace(tzinfo=UTC)
    cutting = False
    for opening in occurrences:
        if first is not None and opening.start > end:
            yield from _pieces(first, start, end, zone, cutting=cutting)
            first = None
        if first is None:
            first, start, end, cutting = opening, opening.start, opening.end, False
            continue
        end = max(end, opening.end)
        cutting = cutting or end - start > limit
        if cutting:
            *done, rest = _pieces(first, start, end, zone, cutting=True)
            yield from done
            start = rest.start
    if first is not None:
        yield from _pieces(first, start, end, zone, cutting=cutting)


def _pieces(
    first: Occurrence, start: datetime, end: datetime, zone: tzinfo, *, cutting: bool
) -> Iterator[Occurrence]:
    day = first.day if start == first.start else start.astimezone(zone).date()
    moved = first.start_moved and start == first.start
    while cutting:
        next_midnight = resolve(midnight(start.astimezone(zone).date() + _DAY), zone)
        if next_midnight >= end:
            break
        yield _opening(start, next_midnight, day, first.rule, zone, moved=moved)
        start, day, moved = next_midnight, next_midnight.astimezone(zone).date(), False
    yield _opening(start, end, day, first.rule, zone, moved=moved)


def _in_order(
    of_day: Callable[[date], Iterable[Occurrence]], day: date, patience: timedelta
) -> Iterator[Occurrence]:
    """Yield the openings of a date and the following ones by start; give up when none comes for long."""
    pending: list[tuple[datetime, int, Occurrence]] = []
    count = 0
    give_up = day + patience
    while day <= min(give_up, _LAST_DAY):
        # offsets can bring a later date's window before an earlier one's
        earliest = midnight(day).replace(tzinfo=UTC) - _EARLY
        while pending and pending[0][0] < earliest:
            yield heappop(pending)[2]
        for opening in of_day(day):
            count += 1
            give_up = day + patience
            heappush(pending, (opening.start, count, opening))
        day += _DAY
    while pending:
        yield heappop(pending)[2]
