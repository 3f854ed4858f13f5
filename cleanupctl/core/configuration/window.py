"""The [window] part of the configuration: raw table in, batch windows out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.configuration.tables import Given, read_list, read_table
from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.settings.window import DAYS
from cleanupctl.core.times import TimeOfDay
from cleanupctl.core.windows.windows import BatchWindows, CronWindow, DailyWindow, parse_cron_window

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cleanupctl.core.configuration.faults import Faults

_MIDNIGHT = TimeOfDay(0, 0)


def read_windows(document: dict[str, Any], zone: ZoneInfo, faults: Faults) -> BatchWindows:
    """Check and build the batch windows; faults are added, and what has one is left out."""
    window = read_table(document, "window", ("window",), faults)
    general = _daily(window, faults)
    crons = _crons(window, faults)
    weekdays = {
        number: _weekday(read_table(window.raw, "window.DAY", ("window", day), faults), faults)
        for number, day in enumerate(DAYS)
        if day in window
    }
    # both together are a fault that is noted already, and windows cannot even be built of them
    return BatchWindows(zone, None if crons else general, crons, weekdays)


def _weekday(given: Given, faults: Faults) -> DailyWindow | None:
    if not given.values.get("closed"):
        if "start" not in given and "end" not in given:
            faults.add(given.path, "this day has no window: write a start, or closed = true")
        return _daily(given, faults)
    for key in ("start", "end"):
        if key in given:
            faults.add((*given.path, key), f"the day is closed: remove {key}, or closed")
    return None


def _daily(given: Given, faults: Faults) -> DailyWindow | None:
    if "end" in given and "start" not in given:
        faults.add((*given.path, "end"), "there is no start: write one too, or remove end")
    if "start" not in given.values:
        return None
    return DailyWindow(start=given.values["start"], end=given.values.get("end", _MIDNIGHT))


def _crons(window: Given, faults: Faults) -> tuple[CronWindow, ...]:
    for key, other in (("cron", "duration"), ("duration", "cron")):
        if key in window and other not in window:
            faults.add((*window.path, key), f"there is no {other}: a window by cron expression has both")
    for key in ("start", "end"):
        if key in window and any(cron in window for cron in ("cron", "duration", "entry")):
            faults.add(
                (*window.path, key),
                f"a general window is either start and end or cron expressions: remove {key}, or those",
            )
    givens = (window, *read_list(window.raw, "window.entry", (*window.path, "entry"), faults))
    return tuple(cron for given in givens if (cron := _cron(given, faults)))


def _cron(given: Given, faults: Faults) -> CronWindow | None:
    if "cron" not in given.values or "duration" not in given.values:
        return None
    try:
        return parse_cron_window(given.values["cron"], given.values["duration"])
    except InvalidValueError as error:
        faults.add((*given.path, "cron"), error.message)
        return None
