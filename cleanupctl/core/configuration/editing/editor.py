"""Changing the batch windows in the configuration file: comments and everything else stay as they are."""

from __future__ import annotations

import copy
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanupctl.core.configuration.editing.replacement import read_bytes, replace_file
from cleanupctl.core.configuration.file import configuration_places, decode, read_configuration_text
from cleanupctl.core.configuration.reader import check_text
from cleanupctl.core.errors import ConfigurationError, InvalidValueError
from cleanupctl.core.settings.messages import closest, shown
from cleanupctl.core.settings.window import DAYS
from cleanupctl.core.times import parse_time_of_day
from cleanupctl.core.urls import without_secrets
from cleanupctl.core.windows.windows import parse_cron_window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CRON_KEYS = ("cron", "duration", "entry")
_DAILY_KEYS = ("start", "end")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SetDailyWindow:
    """A window from start to end, every day or on one weekday; the general one replaces cron windows."""

    start: str
    end: str
    day: str | None = None


@dataclass(frozen=True, slots=True)
class SetCronWindow:
    """One window by cron expression and duration, in place of every other general window."""

    expression: str
    duration: str


@dataclass(frozen=True, slots=True)
class ClearWindow:
    """Take away the entry of a weekday, or every window there is."""

    day: str | None = None


WindowChange = SetDailyWindow | SetCronWindow | ClearWindow


@dataclass(frozen=True, slots=True)
class EditResult:
    """What an edit did, or with a dry run would do. The texts may have passwords in them, `diff` has none."""

    path: Path
    before: str
    after: str
    changed: bool

    def diff(self) -> str:
        """Return the difference as a unified diff, passwords replaced; "" if nothing changes."""
        from difflib import unified_diff

        lines = (without_secrets(text).splitlines(keepends=True) for text in (self.before, self.after))
        before, after = ([line.rstrip("\r\n") + "\n" for line in text] for text in lines)
        return "".join(unified_diff(before, after, str(self.path), str(self.path)))


def editable_configuration(environment: Mapping[str, str], *, config: Path | None = None) -> Path:
    """Return the file that an edit changes: the one in force, or where the first one will be made.

    Raises ConfigurationError if a file exists but cannot be read.
    """
    places = configuration_places(environment, config=config)
    return next((place.path for place in places if read_configuration_text(place.path)), places[0].path)


def edit_window(path: Path, change: WindowChange, *, dry_run: bool = False) -> EditResult:
    """Change the batch windows in a configuration file; it is made, for its owner alone, if there is none.

    The file is replaced as a whole or not at all, and only by one that can be used; nor is an unusable
    file changed. Raises InvalidValueError for the change itself, ConfigurationError for the file.
    """
    change = _checked(change)
    content = read_bytes(path)
    before = "" if content is None else decode(path, content)
    check_text(path, before)
    after = _edited(path, before, change)
    check_text(path, after)
    if after != before and not dry_run:
        mark = _BYTE_ORDER_MARK if content and content.startswith(_BYTE_ORDER_MARK) else b""
        replace_file(path, content, mark + after.encode())
    return EditResult(path, before, after, changed=after != before)


def _checked(change: WindowChange) -> WindowChange:
    if isinstance(change, SetCronWindow):
        parse_cron_window(change.expression, change.duration)
        return change
    if change.day is not None and change.day not in DAYS:
        raise InvalidValueError(
            f"{shown(change.day)} is not a weekday{closest(change.day, DAYS, listing=True)}"
        )
    if isinstance(change, ClearWindow):
        return change
    start, end = parse_time_of_day(change.start), parse_time_of_day(change.end, end=True)
    return SetDailyWindow(str(start), str(end), change.day)


def _edited(path: Path, before: str, change: WindowChange) -> str:
    from cleanupctl.core.configuration.editing.toml_tables import TomlTables

    wanted = _wanted(tomllib.loads(before), change)
    if _same(wanted, tomllib.loads(before)):
        return before
    tables = TomlTables(before)
    if isinstance(change, ClearWindow):
        tables.remove(("window", change.day) if change.day else ("window",))
    elif isinstance(change, SetDailyWindow) and change.day:
        tables.set(("window", change.day), {"start": change.start, "end": change.end}, without=["closed"])
    else:
        tables.remove(("window", "entry"))
        keys, others = _general(change)
        tables.set(("window",), keys, without=others)
    if not _same(wanted, _loaded(tables.text)):
        raise ConfigurationError(
            f"{path} is written in a way that cannot be edited here: edit it by hand", path=path
        )
    return tables.text


def _general(change: SetDailyWindow | SetCronWindow) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the keys of a general window, and those that cannot stand beside them."""
    if isinstance(change, SetCronWindow):
        return {"cron": change.expression, "duration": change.duration}, _DAILY_KEYS
    return {"start": change.start, "end": change.end}, _CRON_KEYS


def _wanted(document: dict[str, Any], change: WindowChange) -> dict[str, Any]:
    """Return what the whole file should say after the change; the edited text is held against it."""
    document = copy.deepcopy(document)
    window = document.setdefault("window", {})
    if isinstance(change, ClearWindow):
        if change.day:
            window.pop(change.day, None)
        else:
            window.clear()
    elif isinstance(change, SetDailyWindow) and change.day:
        window[change.day] = {"start": change.start, "end": change.end}
    else:
        keys, others = _general(change)
        document["window"] = {k: v for k, v in window.items() if k not in (*others, "entry")} | keys
    return document


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return {"window": {}} | one == {"window": {}} | other


def _loaded(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
