"""`cleanupctl window list`: the coming batch windows, as a table or as a picture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cleanupctl.cli.commands.window.show import instant_of
from cleanupctl.cli.context import Context
from cleanupctl.core.errors import InvalidValueError

MOST_OPENINGS = 10_000
LONGEST_LIST = timedelta(days=36_525)
_LATEST = datetime(9998, 12, 1, tzinfo=UTC)
"""Beyond it there are no windows, and soon no dates."""
_USUAL_COUNT = 7


def list_(
    context: Context,
    count: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MOST_OPENINGS,
            help=f"At most so many windows  [default: {_USUAL_COUNT}; with --until {MOST_OPENINGS}]",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Only windows that start before this date or time, at most 100 years later."
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Begin with what is open then, or opens next, not now."),
    ] = None,
    calendar: Annotated[
        bool, typer.Option("--calendar", help="Draw a picture: a row for each day. With --json: the array.")
    ] = False,
) -> None:
    """List the coming batch windows."""
    from cleanupctl.cli.views.window import NO_WINDOW
    from cleanupctl.cli.views.windows import draw, opening_object, show_table

    start = instant_of(context, from_) or context.now()
    end = _end(start, instant_of(context, until))
    as_picture = calendar and context.options.chosen_format != "json"
    as_json = context.output.json and not as_picture
    windows, zone = context.settings.windows, context.settings.timezone
    if not windows.configured and not as_json:
        context.output.notice(NO_WINDOW)
        return
    if as_picture:
        draw(context, start, end, count if count or until else _USUAL_COUNT)
        return
    wanted = count or (MOST_OPENINGS if until else _USUAL_COUNT)
    occurrences = list(windows.occurrences(start, count=wanted + 1, until=end))
    if until and not count and len(occurrences) > wanted:
        context.output.notice(f"there are more: these are the first {wanted}")
    if as_json:
        context.output.data([opening_object(opening, zone) for opening in occurrences[:wanted]])
    elif occurrences:
        show_table(context.output, occurrences[:wanted], zone)
    else:
        context.output.notice(f"no batch window opens before {until or 'the end of these 100 years'}")


def _end(start: datetime, until: datetime | None) -> datetime:
    """Return where the list ends at the latest. Raises InvalidValueError for an `until` that is no good."""
    last = min(start, _LATEST - LONGEST_LIST) + LONGEST_LIST
    if until is None:
        return last
    if until <= start:
        raise InvalidValueError("--until must be later than --from, which is now if it is not given")
    if until > last:
        raise InvalidValueError(
            f"--until is too far away: 100 years after --from, and {_LATEST.date()}, are the latest"
        )
    return until
