"""Settings as a plain document without secrets: for `config show`, and what the digest is taken of."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cleanupctl.core.configuration.schema import DAYS
from cleanupctl.core.settings import CamundaSettings, TablesSettings
from cleanupctl.core.urls import DatabaseUrl

if TYPE_CHECKING:
    from cleanupctl.core.settings import HistorySettings, Settings
    from cleanupctl.core.windows.windows import BatchWindows, DailyWindow

_UNITS = (
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "m"),
    (timedelta(seconds=1), "s"),
)


def settings_document(settings: Settings) -> dict[str, Any]:
    """Return the settings in the shape and words of the file, every default filled in.

    Only strings, numbers, booleans, None, lists and dicts; URLs without their passwords.
    """
    return {
        "timezone": settings.timezone.key,
        "job_store": {"url": str(settings.store)},
        "cleanup": _plain(settings.cleanup) | {"job_log_ttl": _ttl(settings.cleanup.job_log_ttl) or "none"},
        "throttle": _plain(settings.throttle),
        "window": _window(settings.windows),
        "history": [_history(history) for history in settings.histories],
    }


def duration_text(duration: timedelta) -> str:
    """Write a duration as the configuration reads it, in the largest whole units: `1h30m`, `250ms`."""
    parts, rest = [], duration
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    if rest:
        parts.append(f"{rest // timedelta(milliseconds=1)}ms")
    return "".join(parts)


def _ttl(days: int | None) -> str | None:
    return None if days is None else f"P{days}D"


def _plain(record: Any) -> dict[str, Any]:
    return {field.name: _value(getattr(record, field.name)) for field in fields(record)}


def _value(value: Any) -> Any:
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, ZoneInfo):
        return value.key
    return str(value) if isinstance(value, DatabaseUrl) else value


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


def _history(history: HistorySettings) -> dict[str, Any]:
    document = _plain(history)
    if isinstance(history, CamundaSettings):
        return document | _times_to_live(document, history)
    if isinstance(history, TablesSettings):
        del document["tables"]
        document["table"] = [_plain(table) | {"ttl": _ttl(table.ttl)} for table in history.tables]
    return document


def _times_to_live(document: dict[str, Any], history: CamundaSettings) -> dict[str, Any]:
    for name in ("batch_ttls", "batch_default_ttl", "ttls"):
        del document[name]
    added: dict[str, Any] = {
        name: _ttl(getattr(history, name)) for name in ("task_metrics_ttl", "cleanup_log_ttl", "default_ttl")
    }
    if history.batch_ttls or history.batch_default_ttl is not None:
        added["batch_ttl"] = {"default": _ttl(history.batch_default_ttl)} | {
            type_: _ttl(days) or "none" for type_, days in history.batch_ttls.items()
        }
    if history.ttls:
        added["ttl"] = [_plain(one) | {"ttl": _ttl(one.ttl) or "none"} for one in history.ttls]
    return added
