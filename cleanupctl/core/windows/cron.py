"""Cron expressions: the only room that knows croniter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from cleanupctl.core.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import date

ALIASES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")

_ITEM = re.compile(r"(?:\*|([^-/*]+)(?:-([^-/*]+))?)(?:/(\d+))?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    lowest: int
    highest: int
    words: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """On which days, and at which times of those days, a cron expression occurs; wall clock of no zone."""

    times: tuple[timedelta, ...]
    """Distances from midnight, ascending."""
    months: frozenset[int] | None
    """1 to 12; None means each of them, here and below."""
    days_of_month: frozenset[int] | None
    days_of_week: frozenset[int] | None
    """0 is Sunday."""

    def occurs_on(self, day: date) -> bool:
        """Whether it has occurrences on that date; day of month and day of week both set mean *or*."""
        if self.months is not None and day.month not in self.months:
            return False
        in_month = self.days_of_month is None or day.day in self.days_of_month
        in_week = self.days_of_week is None or day.isoweekday() % 7 in self.days_of_week
        if self.days_of_month is None or self.days_of_week is None:
            return in_month and in_week
        return in_month or in_week


@lru_cache(maxsize=64)
def read_expression(expression: str) -> CronSchedule:
    """Read five fields, or one of `ALIASES`. Raises InvalidValueError with the reason.

    Accepted are the items all crons share: `*`, numbers, names, ranges, steps of these, and lists.
    croniter takes much more, and reads some of it in its own way (`5-5` as every day), so the form
    is checked before it sees the expression.
    """
    from croniter import CroniterError, croniter  # type: ignore[import-untyped]  # it ships no types

    if expression not in ALIASES:
        _check_form(expression)
    try:
        fields, _ = croniter.expand(expression, strict=True)
    except CroniterError as error:
        reason = str(error).removeprefix(f"[{expression}] is not acceptable. ")
        raise _invalid(expression, reason) from None
    minutes, hours, days_of_month, months, days_of_week = (_numbers(field) for field in fields)
    return CronSchedule(
        times=tuple(
            timedelta(hours=hour, minutes=minute)
            for hour in sorted(hours or range(24))
            for minute in sorted(minutes or range(60))
        ),
        months=months,
        days_of_month=days_of_month,
        days_of_week=days_of_week,
    )


def _numbers(field: list[int | str]) -> frozenset[int] | None:
    return None if "*" in field else frozenset(int(number) for number in field)


def _check_form(expression: str) -> None:
    if expression.startswith("@"):
        raise _invalid(expression, f"of the names with @, {', '.join(ALIASES)} are times to start at")
    written = expression.split()
    if len(written) != len(_FIELDS) or not expression.isascii():
        raise _invalid(expression, "write five fields: minute, hour, day of month, month and day of week")
    for text, field in zip(written, _FIELDS, strict=True):
        for item in text.split(","):
            _check_item(expression, item, field)


def _check_item(expression: str, item: str, field: _Field) -> None:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise _invalid(
            expression, f"{item!r} in the field {field.name} is neither *, a number, a range nor a step"
        )
    low, high, step = match.groups()
    if step is not None and (int(step) == 0 or (low and not high)):
        advice = "a step is at least 1" if int(step) == 0 else f"write {low}-{field.highest}/{step}"
        raise _invalid(expression, f"{item!r} in the field {field.name} is not a step: {advice}")
    bounds = [_number(expression, text, field) for text in (low, high) if text]
    if len(bounds) == 2 and bounds[0] >= bounds[1]:
        raise _invalid(expression, f"the range {item!r} in the field {field.name} does not go upwards")


def _number(expression: str, text: str, field: _Field) -> int:
    if text.lower() in field.words:
        return field.words.index(text.lower()) + field.lowest
    if text.isdecimal() and len(text) <= 2 and field.lowest <= int(text) <= field.highest:
        return int(text)
    words = f" or {field.words[0]} to {field.words[-1]}" if field.words else ""
    raise _invalid(
        expression, f"the {field.name} goes from {field.lowest} to {field.highest}{words}, not {text!r}"
    )


def _invalid(expression: str, reason: str) -> InvalidValueError:
    shown = expression if len(expression) <= 60 else f"{expression[:59]}…"
    return InvalidValueError(f"{shown!r} is not a cron expression: {reason}")
