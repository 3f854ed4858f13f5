"""Times as people write them: times of day, durations, times to live, instants, and wall clocks in a zone."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, overload

from cleanupctl.core.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import tzinfo

LONGEST_TTL = 2**31 - 1
"""Most days a time to live may have; the engines keep it in a 32-bit column."""

EARLIEST = datetime(1000, 1, 2, tzinfo=UTC)
"""Before every base time, and within what each kind of database can hold in any zone."""

LATEST = datetime(9990, 1, 1, tzinfo=UTC)
"""After every time that can expire, within what each kind of database can hold, with windows to come."""

# Patterns are text and not compiled here: few calls need them, and every call would pay.
_TIME_OF_DAY = r"(\d{1,2}):(\d{2})(Z|[+-]\d{2}:?\d{2})?"
_LARGEST_OFFSET = timedelta(hours=18)
_UNITS = r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?"
_ISO_DURATION = r"P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,6})?)S)?)?"
_TTL_DAYS = r"P(\d+)D"
_TTL_INTEGER = r"[+-]?\d+"
DURATION_PATTERN = f"(?=.)(?:{_UNITS})|{_ISO_DURATION}"
"""What `parse_duration` reads, as a regular expression; those of length 0 included."""
TTL_PATTERN = f"{_TTL_DAYS}|{_TTL_INTEGER}"
"""What `parse_ttl` reads, as a regular expression; negative ones included."""
_LARGEST_UNITS = (
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "m"),
    (timedelta(seconds=1), "s"),
)
_FIRST_YEAR, _LAST_YEAR = 1900, 9998
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A wall-clock time; with an offset it is meant at that fixed distance from UTC, whatever the zone."""

    hour: int
    """0 to 23; 24 only as the end of a day."""
    minute: int = 0
    offset: timedelta | None = None

    def __str__(self) -> str:
        text = f"{self.hour:02}:{self.minute:02}"
        if self.offset is None:
            return text
        minutes = round(self.offset / timedelta(minutes=1))
        return f"{text}{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def parse_time_of_day(text: str, *, end: bool = False) -> TimeOfDay:
    """Read `HH:mm` or `H:mm`, maybe with an offset (`+0200`, `+02:00`, `Z`); `24:00` only as an end.

    Raises InvalidValueError.
    """
    match = re.fullmatch(_TIME_OF_DAY, text, re.ASCII)
    if match is None:
        raise _invalid(text, "a time of day", "write HH:mm, maybe with an offset such as +02:00")
    hour, minute = int(match[1]), int(match[2])
    if hour > 23 and (hour, minute) != (24, 0):
        raise _invalid(text, "a time of day", "the hour goes from 0 to 23")
    if minute > 59:
        raise _invalid(text, "a time of day", "the minute goes from 00 to 59")
    if hour == 24 and not end:
        raise _invalid(text, "a time of day to start at", "24:00 is only an end, write 00:00")
    return TimeOfDay(hour, minute, _offset(text, match[3]))


def _offset(text: str, written: str | None) -> timedelta | None:
    if written is None:
        return None
    if written == "Z":
        return timedelta(0)
    minutes = int(written[-2:])
    offset = timedelta(hours=int(written[1:3]), minutes=minutes)
    if minutes > 59 or offset > _LARGEST_OFFSET:
        raise _invalid(text, "a time of day", "the offset goes from -18:00 to +18:00")
    return -offset if written[0] == "-" else offset


def parse_duration(text: str) -> timedelta:
    """Read a positive duration: `250ms`, `30s`, `10m`, `2h`, `1h30m`, `1d`, or ISO 8601 as `PT2H`, `P1D`.

    A day is 24 hours. Raises InvalidValueError.
    """
    units = re.fullmatch(_UNITS, text, re.ASCII)
    iso = None if units else re.fullmatch(_ISO_DURATION, text, re.ASCII)
    if not text or (units is None and iso is None):
        raise _invalid(text, "a duration", "write one such as 250ms, 30s, 10m, 2h, 1h30m, 1d or PT2H")
    try:
        duration = _from_units(units) if units else _from_iso(iso) if iso else timedelta(0)
    except OverflowError:
        raise _invalid(text, "a duration", "it is too long") from None
    if not duration:
        raise _invalid(text, "a duration", "it must be longer than nothing")
    return duration


def duration_text(duration: timedelta) -> str:
    """Write a duration as `parse_duration` reads it, in the largest whole units: `1h30m`, `250ms`."""
    parts, rest = [], duration
    for size, unit in _LARGEST_UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    if rest:
        parts.append(f"{rest // timedelta(milliseconds=1)}ms")
    return "".join(parts)


def _from_units(match: re.Match[str]) -> timedelta:
    days, hours, minutes, seconds, milliseconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)


def _from_iso(match: re.Match[str]) -> timedelta:
    weeks, days, hours, minutes = (int(part or 0) for part in match.groups()[:4])
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=float(match[5] or 0))


@overload
def parse_ttl(value: int) -> int: ...
@overload
def parse_ttl(value: str | None) -> int | None: ...
def parse_ttl(value: str | int | None) -> int | None:
    """Read a time to live in days: `P30D`, `"30"` or 30; None and the empty string mean there is none.

    Raises InvalidValueError.
    """
    if value is None or value == "":
        return None
    days = _ttl_days(value)
    if days is None:
        raise _invalid(value, "a time to live", "write days as P30D or 30")
    if days < 0:
        raise _invalid(value, "a time to live", "it must not be negative")
    if days > LONGEST_TTL:
        raise _invalid(value, "a time to live", f"it must not be longer than {LONGEST_TTL} days")
    return days


def _ttl_days(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    # int() would take "1_000" and " 5" as well
    if not isinstance(value, str) or len(value) > 20:
        return None
    match = re.fullmatch(_TTL_DAYS, value, re.ASCII)
    digits = match[1] if match else value
    return int(digits) if re.fullmatch(_TTL_INTEGER, digits) else None


def parse_instant(text: str, zone: tzinfo) -> datetime:
    """Read ISO 8601, or the form `format_instant` writes, as an instant in UTC.

    Without an offset it is the wall clock of `zone`, resolved like the start of a batch window;
    a date alone is its midnight. Raises InvalidValueError.
    """
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid(
            text, "a time", "write 2024-03-31T22:00, 2024-03-31T22:00+02:00 or 2024-03-31"
        ) from None
    if not _FIRST_YEAR <= written.year <= _LAST_YEAR:
        raise _invalid(text, "a time", f"the year goes from {_FIRST_YEAR} to {_LAST_YEAR}")
    return resolve(written, zone) if written.tzinfo is None else written.astimezone(UTC)


@overload
def format_instant(instant: datetime, zone: tzinfo) -> str: ...
@overload
def format_instant(instant: None, zone: tzinfo) -> None: ...
@overload
def format_instant(instant: datetime | None, zone: tzinfo) -> str | None: ...
def format_instant(instant: datetime | None, zone: tzinfo) -> str | None:
    """Write an aware datetime as `2017-04-06T13:57:45.000+0200`: milliseconds cut off, offset of `zone`."""
    if instant is None:
        return None
    local = instant.astimezone(zone)
    return local.replace(tzinfo=None).isoformat(timespec="milliseconds") + f"{local:%z}"[:5]


def resolve(wall_clock: datetime, zone: tzinfo, *, latest: bool = False) -> datetime:
    """Return the instant, in UTC, at which the clocks of `zone` show the naive `wall_clock`.

    What they skip becomes the end of the gap. What they show twice is the first of the two,
    or the second if `latest`.
    """
    first = wall_clock.replace(tzinfo=zone, fold=0).utcoffset() or timedelta(0)
    second = wall_clock.replace(tzinfo=zone, fold=1).utcoffset() or timedelta(0)
    naive = wall_clock.replace(fold=0)
    if first < second:
        return _end_of_gap(naive, first, second, zone)
    return (naive - (second if latest else first)).replace(tzinfo=UTC)


def _end_of_gap(naive: datetime, before: timedelta, after: timedelta, zone: tzinfo) -> datetime:
    earliest = (naive - after).replace(tzinfo=UTC)

    def changed(seconds: int) -> bool:
        return (earliest + seconds * _SECOND).astimezone(zone).utcoffset() == after

    # the clocks are moved once between the two readings of a time that does not exist
    size = (after - before) // _SECOND
    moved = earliest + bisect_left(range(size), True, key=changed) * _SECOND
    return moved.replace(microsecond=0)


def removal_time(base: datetime, ttl_days: int, zone: tzinfo) -> datetime:
    """Return when what ended (or began) at `base` expires: the same wall clock of `zone`, days later.

    On the day of a clock change it is the engines' calendar arithmetic: the offset of the base is
    kept where that wall clock exists with it. A time to live that reaches beyond all databases' calendars
    gives LATEST.
    """
    if ttl_days > (LATEST - base).days:
        return LATEST
    local = base.astimezone(zone)
    wall_clock = local.replace(tzinfo=None, fold=0) + timedelta(days=ttl_days)
    unchanged = (wall_clock - (local.utcoffset() or timedelta(0))).replace(tzinfo=UTC)
    moved = (wall_clock - (unchanged.astimezone(zone).utcoffset() or timedelta(0))).replace(tzinfo=UTC)
    return moved if moved.astimezone(zone).date() == wall_clock.date() else unchanged


def cutoff(now: datetime, ttl_days: int, zone: tzinfo) -> datetime:
    """Return the latest base time that has expired at `now`: the same wall clock of `zone`, days earlier.

    Of a wall clock that was shown twice it is the first, so nothing goes early. A time to live that
    reaches back beyond all databases' calendars gives EARLIEST: nothing has expired.
    """
    wall_clock = now.astimezone(zone).replace(tzinfo=None, fold=0)
    try:
        return max(resolve(wall_clock - timedelta(days=ttl_days), zone), EARLIEST)
    except OverflowError:
        return EARLIEST


def at_offset(wall_clock: datetime, offset: timedelta) -> datetime:
    """Return the instant, in UTC, of a naive wall clock at a fixed offset."""
    return wall_clock.replace(tzinfo=timezone(offset)).astimezone(UTC)


def _invalid(value: object, kind: str, reason: str) -> InvalidValueError:
    text = value if isinstance(value, str) else str(value)
    if not text or not text.isprintable() or text != text.strip():
        text = repr(text)
    if len(text) > 60:
        text = f"{text[:59]}…"
    return InvalidValueError(f"{text} is not {kind}: {reason}")


def span(length: timedelta) -> str:
    """Return a length of time in words."""
    minutes = int(length.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 48 * 60 else f"{minutes // 1440} days"
