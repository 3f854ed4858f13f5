"""Types of values in the configuration: what each accepts, in words and as JSON Schema; how it is written.

Every parser takes what the TOML reader delivers and raises InvalidValueError, which names the remedy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.settings.messages import alternatives, closest, shown
from cleanupctl.core.times import (
    DURATION_PATTERN,
    LONGEST_TTL,
    TTL_PATTERN,
    duration_text,
    parse_duration,
    parse_time_of_day,
    parse_ttl,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from cleanupctl.core.times import TimeOfDay

INT32 = 2**31 - 1
"""Largest number of the columns that keep retries and priorities; as a limit it is not mentioned."""

JOB_LOG_HISTORY = "job-log"
"""Name under which the job log of the job store itself is cleaned; no history may take it."""

_HISTORY_NAME = r"[A-Za-z0-9._-]{1,64}"
_CONTROL = r"[\x00-\x1f\x7f]"
_CLOCK_PATTERN = r"(?:[01]?\d|2[0-3]):[0-5]\d(?:Z|[+-]\d{2}:?\d{2})?"
_MIDNIGHT_PATTERN = r"24:00(?:Z|[+-]\d{2}:?\d{2})?"


def _itself(value: Any) -> Any:
    return value


@dataclass(eq=False, repr=False)
class ValueType:
    """A type of value: everything that is known of it."""

    words: str
    """What it accepts, in words."""
    parse: Callable[[object], Any]
    """Turns the TOML value into ours; raises InvalidValueError."""
    schema: Mapping[str, Any]
    """What it accepts, as JSON Schema: never less than the parser."""
    write: Callable[[Any], str | int | float | bool] = _itself
    """Turns our value, which is not None, into a TOML value that the parser reads as the same."""
    nothing: str | None = None
    """The word in the file for our None, where there is one."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(f'{shown(value)} is not text: write it in quotes, "…"')
    if not value.strip():
        raise InvalidValueError("is empty: write a value, or leave the key out")
    if re.search(_CONTROL, value):
        raise InvalidValueError("has a control character in it: remove it")
    return value


def _url(value: object) -> str:
    """Accept what text is, in words that never repeat the value; whoever has the environment reads it."""
    if not isinstance(value, str):
        raise InvalidValueError('is not text: write it in quotes, "…"')
    return _text(value)


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValueError(
            f"{shown(value)} is neither true nor false: write one of them, without quotes"
        )
    return value


def _cron_duration(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(f'{shown(value)} is not a duration in quotes: write one such as "6h"')
    parse_duration(value)
    return value


def _start(value: object) -> TimeOfDay:
    return parse_time_of_day(_clock_text(value))


def _end(value: object) -> TimeOfDay:
    return parse_time_of_day(_clock_text(value), end=True)


def _clock_text(value: object) -> str:
    # TOML has a type of its own for 20:00:00, which people reach by leaving out the quotes
    if not isinstance(value, str):
        raise InvalidValueError(f'{shown(value)} is not a time of day in quotes: write "HH:mm"')
    return value


def _ttl(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise InvalidValueError(f'{shown(value)} is not a time to live: write "P30D" or 30')
    days = parse_ttl(value)
    if days is None:
        raise InvalidValueError('is empty: write "P30D" or 30')
    return days


_ZONE_NAME = re.compile(r"[\w+-]{1,40}(?:/[\w+-]{1,40}){0,3}", re.ASCII)
"""Whatever else is asked for, a path in the file system would be looked for by it."""


def _zone(value: object) -> ZoneInfo:
    name = _text(value)
    try:
        if _ZONE_NAME.fullmatch(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    # listing the zones reads the whole database: only for the message
    from zoneinfo import available_timezones

    hint = closest(name, sorted(available_timezones())) or '; write a name such as "Europe/Berlin"'
    raise InvalidValueError(f"{shown(name)} is not an IANA time zone{hint}")


def _history_name(value: object) -> str:
    name = _text(value)
    if not re.fullmatch(_HISTORY_NAME, name):
        raise InvalidValueError(
            f"{shown(name)} is not a name: write up to 64 letters, digits, dots, hyphens and underscores"
        )
    if name == JOB_LOG_HISTORY:
        raise InvalidValueError(f"{name} is the job log of the job store itself: choose another name")
    return name


_STRING = {"type": "string", "pattern": r"\S"}
_DURATION = {"type": "string", "pattern": f"^(?:{DURATION_PATTERN})$"}
_DAYS = {"type": "integer", "minimum": 0, "maximum": LONGEST_TTL}

TEXT = ValueType("text", _text, _STRING)
OPTIONAL_TEXT = ValueType("text", lambda value: "" if value == "" else _text(value), {"type": "string"})
PATH = ValueType("path", _text, _STRING)
URL = ValueType("URL: sqlite:///FILE, postgresql://, mysql://, cockroachdb://", _url, _STRING, str)
"""Read in two steps: the text here, what it names where the environment and the folder are known."""
CRON = ValueType("cron expression, five fields", _text, _STRING)
CRON_DURATION = ValueType("duration", _cron_duration, _DURATION)
"""As it is written: it is read together with its cron expression."""
BOOLEAN = ValueType("true or false", _boolean, {"type": "boolean"})
START = ValueType("time of day", _start, {"type": "string", "pattern": f"^{_CLOCK_PATTERN}$"}, str)
END = ValueType(
    "time of day",
    _end,
    {"type": "string", "pattern": f"^(?:{_CLOCK_PATTERN}|{_MIDNIGHT_PATTERN})$"},
    str,
)
ZONE = ValueType("IANA time zone", _zone, _STRING, lambda zone: str(zone.key))
HISTORY_NAME = ValueType(
    "letters, digits, dots, hyphens, underscores",
    _history_name,
    {"type": "string", "pattern": f"^{_HISTORY_NAME}$", "not": {"const": JOB_LOG_HISTORY}},
)
TIME_TO_LIVE = ValueType(
    "time to live",
    _ttl,
    {"anyOf": [{"type": "string", "pattern": f"^(?:{TTL_PATTERN})$"}, _DAYS]},
    lambda days: f"P{days}D",
)
"""Days."""
TIME_TO_LIVE_OR_NONE = ValueType(
    'time to live, or "none"',
    lambda value: None if value == "none" else _ttl(value),
    {"anyOf": [{"type": "string", "pattern": f"^(?:{TTL_PATTERN}|none)$"}, _DAYS]},
    lambda days: f"P{days}D",
    nothing="none",
)
"""Days, or None for never."""


def integer(lowest: int, highest: int, advice: str) -> ValueType:
    """Whole numbers from `lowest` to `highest`; `advice` says what to choose."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidValueError(f"{shown(value)} is not a whole number; {advice}")
        if value < lowest:
            raise InvalidValueError(f"{shown(value)} is less than {lowest}; {advice}")
        if value > highest:
            raise InvalidValueError(f"{shown(value)} is more than {highest}; {advice}")
        return value

    words = f"{lowest} to {highest}"
    if highest == INT32:
        words = "whole number" if lowest < 0 else f"{lowest} or more"
    return ValueType(words, parse, {"type": "integer", "minimum": lowest, "maximum": highest})


def number(above: float, highest: float, advice: str) -> ValueType:
    """Numbers above `above` and up to `highest`; `advice` says what to choose."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidValueError(f"{shown(value)} is not a number; {advice}")
        # Written so that nan, which compares with nothing, is refused.
        if not above < value <= highest:
            raise InvalidValueError(f"{shown(value)} is out of range; {advice}")
        return float(value)

    words = f"number above {above:g}, up to {highest:g}"
    return ValueType(words, parse, {"type": "number", "exclusiveMinimum": above, "maximum": highest})


def choice(literal: Any) -> ValueType:
    """One of the words of a Literal type."""
    words: tuple[str, ...] = get_args(literal)

    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise InvalidValueError(f"{shown(value)} is unknown{closest(str(value), words, listing=True)}")
        return value

    return ValueType(alternatives(words), parse, {"type": "string", "enum": list(words)})


def duration(shortest: str, longest: str) -> ValueType:
    """Durations from `shortest` to `longest`, both as they stand in a file, such as "250ms" or "10h"."""
    limits = parse_duration(shortest), parse_duration(longest)
    advice = f'choose "{shortest}" to "{longest}"'

    def parse(value: object) -> timedelta:
        if not isinstance(value, str):
            raise InvalidValueError(f"{shown(value)} is not a duration in quotes; {advice}")
        parsed = parse_duration(value)
        if parsed < limits[0]:
            raise InvalidValueError(f"{shown(value)} is too short; {advice}")
        if parsed > limits[1]:
            raise InvalidValueError(f"{shown(value)} is too long; {advice}")
        return parsed

    return ValueType(f"duration, {shortest} to {longest}", parse, _DURATION, duration_text)
