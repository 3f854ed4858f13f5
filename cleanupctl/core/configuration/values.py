"""Single values of the configuration: what each type accepts, and the fix it names when refused.

Every parser takes what the TOML reader delivers and raises InvalidValueError.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.times import parse_duration, parse_time_of_day, parse_ttl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from cleanupctl.core.times import TimeOfDay

_HISTORY_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_SHOWN = 60

BATCH_TYPES = (
    "instance-migration",
    "instance-modification",
    "instance-restart",
    "instance-deletion",
    "instance-update-suspension-state",
    "historic-instance-deletion",
    "historic-decision-instance-deletion",
    "set-job-retries",
    "set-external-task-retries",
    "process-set-removal-time",
    "decision-set-removal-time",
    "batch-set-removal-time",
    "set-variables",
    "correlate-message",
)
"""The engine's types of batch operation; applications may add their own."""

JOB_LOG_HISTORY = "job-log"
"""Name under which the job log of the job store itself is cleaned; no history may take it."""


def shown(value: object) -> str:
    """Return a value as it may stand in a message: one line, short, like TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def text(value: object) -> str:
    """Accept a string with something in it and no control characters."""
    if not isinstance(value, str):
        raise InvalidValueError(f'{shown(value)} is not text: write it in quotes, "…"')
    if not value.strip():
        raise InvalidValueError("is empty: write a value, or leave the key out")
    if _CONTROL.search(value):
        raise InvalidValueError("has a control character in it: remove it")
    return value


def secret_text(value: object) -> str:
    """Accept what `text` accepts, in words that never repeat the value."""
    if not isinstance(value, str):
        raise InvalidValueError('is not text: write it in quotes, "…"')
    return text(value)


def optional_text(value: object) -> str:
    """Accept a string, also an empty one."""
    return "" if value == "" else text(value)


def boolean(value: object) -> bool:
    """Accept true or false, and neither 1 nor "yes"."""
    if not isinstance(value, bool):
        raise InvalidValueError(
            f"{shown(value)} is neither true nor false: write one of them, without quotes"
        )
    return value


def integer(lowest: int, highest: int, advice: str) -> Callable[[object], int]:
    """Accept whole numbers from `lowest` to `highest`; `advice` says what to choose."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidValueError(f"{shown(value)} is not a whole number; {advice}")
        if value < lowest:
            raise InvalidValueError(f"{shown(value)} is less than {lowest}; {advice}")
        if value > highest:
            raise InvalidValueError(f"{shown(value)} is more than {highest}; {advice}")
        return value

    return parse


def number(above: float, highest: float, advice: str) -> Callable[[object], float]:
    """Accept numbers above `above` and up to `highest`; `advice` says what to choose."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidValueError(f"{shown(value)} is not a number; {advice}")
        # Written so that nan, which compares with nothing, is refused.
        if not above < value <= highest:
            raise InvalidValueError(f"{shown(value)} is out of range; {advice}")
        return float(value)

    return parse


def choice(*words: str) -> Callable[[object], str]:
    """Accept one of the words."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise InvalidValueError(f"{shown(value)} is unknown{closest(str(value), words, listing=True)}")
        return value

    return parse


def duration(shortest: timedelta, longest: timedelta, advice: str) -> Callable[[object], timedelta]:
    """Accept a duration such as "250ms" or "10h" from `shortest` to `longest`."""

    def parse(value: object) -> timedelta:
        if not isinstance(value, str):
            raise InvalidValueError(f"{shown(value)} is not a duration in quotes; {advice}")
        parsed = parse_duration(value)
        if parsed < shortest:
            raise InvalidValueError(f"{shown(value)} is too short; {advice}")
        if parsed > longest:
            raise InvalidValueError(f"{shown(value)} is too long; {advice}")
        return parsed

    return parse


def duration_text(value: object) -> str:
    """Accept any duration; returns it as written, for those who read it together with something else."""
    if not isinstance(value, str):
        raise InvalidValueError(f'{shown(value)} is not a duration in quotes: write one such as "6h"')
    parse_duration(value)
    return value


def time_of_day(value: object) -> TimeOfDay:
    """Accept a time of day such as "20:00"; the start of a window."""
    return parse_time_of_day(_clock_text(value))


def end_time_of_day(value: object) -> TimeOfDay:
    """Accept a time of day, "24:00" included; the end of a window."""
    return parse_time_of_day(_clock_text(value), end=True)


def _clock_text(value: object) -> str:
    # TOML has a type of its own for 20:00:00, which people reach by leaving out the quotes
    if not isinstance(value, str):
        raise InvalidValueError(f'{shown(value)} is not a time of day in quotes: write "HH:mm"')
    return value


def time_to_live(value: object) -> int:
    """Accept "P30D", "30" or 30; returns days."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise InvalidValueError(f'{shown(value)} is not a time to live: write "P30D" or 30')
    days = parse_ttl(value)
    if days is None:
        raise InvalidValueError('is empty: write "P30D" or 30')
    return days


def time_to_live_or_none(value: object) -> int | None:
    """Accept a time to live, or "none" for never."""
    return None if value == "none" else time_to_live(value)


def zone(value: object) -> ZoneInfo:
    """Accept the name of an IANA time zone."""
    name = text(value)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    # listing the zones reads the whole database: only for the message
    from zoneinfo import available_timezones

    hint = closest(name, sorted(available_timezones())) or '; write a name such as "Europe/Berlin"'
    raise InvalidValueError(f"{shown(name)} is not an IANA time zone{hint}")


def history_name(value: object) -> str:
    """Accept a name that is safe in options, files and logs."""
    name = text(value)
    if not _HISTORY_NAME.fullmatch(name):
        raise InvalidValueError(
            f"{shown(name)} is not a name: write up to 64 letters, digits, dots, hyphens and underscores"
        )
    if name == JOB_LOG_HISTORY:
        raise InvalidValueError(f"{name} is the job log of the job store itself: choose another name")
    return name


def closest(word: str, known: Sequence[str], *, listing: bool = False) -> str:
    """Return "; did you mean …?" with the nearest known word, else (if asked) the list of all, else ""."""
    from difflib import get_close_matches

    lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower()[:100], lower, n=1)
    if near:
        return f"; did you mean {lower[near[0]]}?"
    return f"; write one of {', '.join(known)}" if listing else ""
