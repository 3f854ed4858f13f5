"""Short ways to write batch windows, instants and jobs in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cleanupctl.core.job import Job
from cleanupctl.core.times import parse_instant, parse_time_of_day
from cleanupctl.core.windows.rules import WEEKDAYS
from cleanupctl.core.windows.windows import BatchWindows, DailyWindow, parse_cron_window

if TYPE_CHECKING:
    from cleanupctl.core.windows.windows import Window

BERLIN = ZoneInfo("Europe/Berlin")


def daily(start: str, end: str = "00:00") -> DailyWindow:
    """A window from start to end."""
    return DailyWindow(parse_time_of_day(start), parse_time_of_day(end, end=True))


def windows(
    general: tuple[str, ...] | None = None,
    *crons: tuple[str, str],
    zone: ZoneInfo = BERLIN,
    **days: tuple[str, ...] | None,
) -> BatchWindows:
    """Batch windows from pairs of texts; a weekday that is None is closed."""
    return BatchWindows(
        zone=zone,
        general=daily(*general) if general else None,
        crons=tuple(parse_cron_window(*cron) for cron in crons),
        weekdays={WEEKDAYS.index(day): daily(*pair) if pair else None for day, pair in days.items()},
    )


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """An instant from ISO 8601; the wall clock of the zone if there is no offset."""
    return parse_instant(text, zone)


def shown(window: Window | None, zone: ZoneInfo = BERLIN) -> tuple[str, str] | None:
    """Start and end as `2024-03-31T03:00+02:00`, in the zone."""
    if window is None:
        return None
    start, end = (each.astimezone(zone).isoformat(timespec="minutes") for each in (window.start, window.end))
    return start, end


def a_job(**changes: Any) -> Job:
    """A job in the middle of an execution that follows two failures and three short runs."""
    now = datetime(2024, 1, 10, 12, tzinfo=UTC)
    values: dict[str, Any] = {
        "id": "074bd92a-1a95-11e7-8ceb-34f39ab71d4e",
        "number": 0,
        "due_date": now,
        "retries": 1,
        "suspended": False,
        "priority": 0,
        "immediately_due": False,
        "empty_runs": 3,
        "create_time": now - timedelta(days=9),
        "exception_message": "boom",
        "exception_stacktrace": "Traceback: boom",
        "lock_owner": "host:1",
        "lock_expiration": now + timedelta(minutes=5),
    }
    return Job(**values | changes)
