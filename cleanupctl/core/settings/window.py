"""The [window] table as it stands in the file: read, it becomes batch windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.settings import values
from cleanupctl.core.settings.declaration import key, shape, table, tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleanupctl.core.times import TimeOfDay

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@shape
class CronWindowTable:
    """One [[window.entry]]."""

    cron: str = key(values.CRON, "Times at which this batch window starts.", example="0 12 1 * *")
    duration: str = key(values.CRON_DURATION, "How long this window lasts.", example="90m")


@shape
class DayTable:
    """The window of one weekday."""

    start: TimeOfDay | None = key(
        values.START,
        "Start of the window of this weekday.",
        default=None,
        otherwise="none",
        example="06:00",
    )
    end: TimeOfDay = key(
        values.END,
        "End of the window of this weekday, read as the general end.",
        default="00:00",
        example="06:00",
    )
    closed: bool = key(
        values.BOOLEAN,
        "Whether no window starts on this weekday, in place of start and end.",
        default=False,
        example=True,
    )


@shape
class WindowTable:
    """The general window, and what replaces it on single weekdays."""

    start: TimeOfDay | None = key(
        values.START,
        "Start of the batch window, inclusive.",
        default=None,
        otherwise="no general window",
        example="20:00",
    )
    end: TimeOfDay = key(
        values.END,
        "End of the batch window, exclusive; at or before the start it is on the next day, equal to it"
        " makes 24 hours.",
        default="00:00",
        example="06:00",
    )
    cron: str | None = key(
        values.CRON,
        "Times at which a batch window starts, in place of start and end.",
        default=None,
        otherwise="none",
        example="0 22 * * 1-5",
    )
    duration: str | None = key(
        values.CRON_DURATION,
        "How long a window that starts by the cron expression lasts.",
        default=None,
        otherwise="none",
        example="6h",
    )
    entry: tuple[CronWindowTable, ...] = tables(
        CronWindowTable, "One of several windows by cron expression; may be repeated.", default=()
    )
    days: Mapping[str, DayTable] = table(
        DayTable,
        "The window of one weekday, monday to sunday; it replaces the general window of that day.",
        name="DAY",
        names=DAYS,
        default_factory=dict,
    )
