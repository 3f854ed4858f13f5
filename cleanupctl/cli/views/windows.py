"""The coming batch windows: as JSON, as a table, and as a picture."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cleanupctl.cli.views.window_words import clocks_in_words, moment, span
from cleanupctl.core.times import format_instant, resolve
from cleanupctl.core.windows.rules import WEEKDAYS, midnight

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.cli.context import Context
    from cleanupctl.cli.output import Output
    from cleanupctl.core.windows.windows import Occurrence

_DAY = timedelta(days=1)


def opening_object(opening: Occurrence, zone: ZoneInfo) -> dict[str, Any]:
    """Return one opening; its weekday is that of the rule's wall clock at the start."""
    return {
        "start": format_instant(opening.start, zone),
        "end": format_instant(opening.end, zone),
        "weekday": WEEKDAYS[opening.weekday],
        "lengthSeconds": round(opening.length.total_seconds()),
        "rule": str(opening.rule),
        "clockChangeSeconds": round(opening.clock_change.total_seconds()),
        "startMoved": opening.start_moved,
    }


def show_table(output: Output, occurrences: Iterable[Occurrence], zone: ZoneInfo) -> None:
    """Write windows, a line each."""
    output.table(
        ("START", "END", "LENGTH", "CLOCKS", "RULE"),
        (
            (
                moment(opening.start, zone),
                moment(opening.end, zone, seen_from=opening.start.astimezone(zone).date()),
                span(opening.length),
                clocks_in_words(opening),
                opening.rule,
            )
            for opening in occurrences
        ),
        right=("END", "LENGTH"),
    )


def draw(context: Context, start: datetime, end: datetime, count: int | None) -> None:
    """Draw whole days, from that of `start` to that of the last of `count` windows, or that before `end`."""
    from cleanupctl.cli.views.calendar import Strokes, draw_calendar

    windows, zone = context.settings.windows, context.settings.timezone
    first, last = start.astimezone(zone).date(), (end - timedelta.resolution).astimezone(zone).date()
    if count is not None:
        listed = deque(windows.occurrences(start, count=count, until=end), maxlen=1)
        last = max(listed[0].start.astimezone(zone).date(), first) if listed else first
    occurrences = windows.occurrences(
        resolve(midnight(first), zone), until=resolve(midnight(last + _DAY), zone)
    )
    today = context.now().astimezone(zone).date()
    strokes = Strokes.for_encoding(context.output.console().encoding)
    for line in draw_calendar(occurrences, (first, last), zone, today, strokes):
        context.output.text(line)
