"""How a table's policy reads its time column: refused when that cannot be meant, told what never expires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.databases.plausibility import ZERO, ZERO_DAY, require_plausible, require_unit
from cleanupctl.history.databases.time_column import COUNTED_ROWS, SAMPLE_ROWS, TimeColumn
from cleanupctl.history.databases.units import readings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.settings import TableSettings
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database

ISO = "2026-11-27 10:00:00, and Z or an offset such as +01:00 where it is not the wall clock of {zone}"


def time_column(
    database: Database, table: Table, settings: TableSettings, zone: ZoneInfo, now: datetime
) -> TimeColumn:
    """Return the time column as the policy reads it. Raise HistoryError when it cannot be read like that."""
    column = table.column(settings.time_column)
    times = TimeColumn(database, table, column, settings.time_format, zone, now)
    require_unit(times)
    if settings.implausible_times == "refuse":
        require_plausible(times, unset=settings.unset_time != "keep")
    return times


def unreadable(times: TimeColumn, rows: int = SAMPLE_ROWS) -> Iterator[tuple[str, str]]:
    """Say which times cannot be read, so that their rows never expire; yields a message and its remedy."""
    number, example = times.unreadable(rows)
    if number:
        yield (
            f"{number} of the {2 * rows} first and last rows of table {times.table.name} have a"
            f" {times.column.name} that is no time in ISO 8601, such as '{example}': such rows are never"
            " deleted",
            f"store {ISO.format(zone=times.zone)}",
        )


def never_set(
    times: TimeColumn, settings: TableSettings, *, misread_only: bool = False
) -> Iterator[tuple[str, str]]:
    """Say how many rows have a time that means none was set; maybe only where that looks like a mistake."""
    if settings.unset_time != "keep":
        return
    latest = times.latest_unset()
    moment = times.read(latest)
    misread = (
        (latest > ZERO if times.counts else moment is not None and moment >= ZERO_DAY) if latest else False
    )
    if latest is None or (misread_only and not misread):
        return
    rows = times.unset_rows()
    such = f", such as {latest}" if misread or not times.counts else " (0 or less)"
    more = f", which is {readings(latest)}" if misread and times.counts else ""
    yield (
        f"{'at least ' if rows >= COUNTED_ROWS else ''}{rows} rows of table {times.table.name} have a"
        f" {times.column.name} before 2 January 1980{such}{more}: it counts as not set, and they are kept",
        "correct what the program stores, or set"
        ' unset_time = "keep-zero" for the table if these are real times'
        if misread
        else 'set unset_time = "expired" for the table if such rows may be deleted',
    )
