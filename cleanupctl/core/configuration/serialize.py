"""Settings as a plain document without secrets: for `config show`, and what the digest is taken of."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from cleanupctl.core.settings.declaration import KeyOf, TableOf, declared
from cleanupctl.core.settings.window import DAYS
from cleanupctl.core.times import duration_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleanupctl.core.settings import Settings
    from cleanupctl.core.windows.windows import BatchWindows, DailyWindow


def settings_document(settings: Settings) -> dict[str, Any]:
    """Return the settings in the shape and words of the file, every default filled in.

    Only strings, numbers, booleans, None, lists and dicts; URLs without their passwords.
    """
    special = {
        "job_store": {"url": str(settings.store)},
        "window": _window(settings.windows),
        "history": [_document(history) for history in settings.histories],
    }
    return _document(settings, special)


def digest_of(settings: Settings) -> str:
    """Return 12 hexadecimal digits over everything that decides what is cleaned, how and when."""
    text = json.dumps(settings_document(settings), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _document(record: Any, special: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a record with its tables, save those that have nothing in them; `special` ones are given."""
    document: dict[str, Any] = {}
    for field, one in declared(type(record)):
        name = one.name or field
        if special and name in special:
            document[name] = special[name]
        elif isinstance(one, TableOf):
            if found := _tables(getattr(record, field), one):
                document[name] = found
        elif one.others is not None:
            document |= {other: _value(value, one) for other, value in getattr(record, field).items()}
        elif one.shown:
            document[name] = _value(getattr(record, field), one)
    return document


def _tables(value: Any, declared_as: TableOf) -> Any:
    if declared_as.many:
        return [_document(item) for item in value]
    document = _document(value)
    return document if any(one is not None for one in document.values()) else None


def _value(value: Any, key: KeyOf) -> Any:
    return key.type.nothing if value is None else key.type.write(value)


def _window(windows: BatchWindows) -> dict[str, Any]:
    document: dict[str, Any] = _day(windows.general) if windows.general else {}
    if windows.crons:
        document["entry"] = [
            {"cron": cron.expression, "duration": duration_text(cron.duration)} for cron in windows.crons
        ]
    for number, window in sorted(windows.weekdays.items()):
        document[DAYS[number]] = _day(window) if window else {"closed": True}
    return document


def _day(window: DailyWindow) -> dict[str, str]:
    return {"start": str(window.start), "end": str(window.end)}
