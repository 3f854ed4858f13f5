"""Days, instants, lengths and rules of batch windows in words for people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.windows.rules import WEEKDAYS

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.windows.windows import BatchWindows, Occurrence, Rule

_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))
_SECOND = timedelta(seconds=1)


def day_in_words(day: date) -> str:
    """Write a date as `Sun 2024-03-31`."""
    return f"{WEEKDAYS[day.weekday()][:3].title()} {day.isoformat()}"


def moment(instant: datetime, zone: ZoneInfo, *, seen_from: date | None = None) -> str:
    """Write an instant as `Sun 2024-03-31 03:00 +0200`; seconds only where there are some.

    Seen from the same date it is the time alone, and from a date of the days before weekday and time.
    """
    local = instant.astimezone(zone)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    offset = f"{local:%z}"[:5]
    day = day_in_words(local.date())
    if seen_from is not None and 0 <= (local.date() - seen_from).days < 7:
        day = "" if local.date() == seen_from else day[:3]
    return f"{day} {clock} {offset}".lstrip()


def span(length: timedelta) -> str:
    """Write how long something takes as `1 d 2 h 30 min`; seconds only below an hour."""
    parts = []
    for unit, size in _UNITS:
        number, length = divmod(length, size)
        if number:
            parts.append(f"{number} {unit}")
    seconds = length // _SECOND
    if not parts or (seconds and parts[0].endswith("min")):
        parts.append(f"{seconds} s")
    return " ".join(parts)


def rule_in_words(rule: Rule, windows: BatchWindows) -> str:
    """Name a rule and what it says, such as `saturday (06:00-06:00)`."""
    match rule.kind:
        case "general":
            return f"every day ({windows.general})"
        case "weekday":
            return f"{rule} ({windows.weekdays[rule.number] or 'closed'})"
        case "cron":
            cron = windows.crons[rule.number - 1]
            return f"{rule} ({cron.expression} for {span(cron.duration)})"


def clocks_in_words(opening: Occurrence) -> str:
    """Say how far the clocks are put forward or back while it is open, and whether they skip its start."""
    words = []
    if opening.clock_change:
        words.append(
            f"{'+' if opening.clock_change > timedelta(0) else '-'}{span(abs(opening.clock_change))}"
        )
    if opening.start_moved:
        words.append("start moved")
    return ", ".join(words)
