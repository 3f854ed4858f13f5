"""`cleanupctl window show`: whether cleanup may run now or at any time, from when to when, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from datetime import datetime


def show(
    context: Context,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Answer for this instant, not for now: 2026-12-24T22:00 (in the configured time zone),"
            " 2026-12-24T22:00+01:00 or a date.",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which rule makes the window, and why not the others.")
    ] = False,
) -> None:
    """Show the current or next batch window."""
    from cleanupctl.cli.views.window import show_answer
    from cleanupctl.core.windows import explanation as explaining

    settings = context.settings
    now = instant_of(context, at) or context.now()
    show_answer(context.output, settings, explaining.explain(settings.windows, now), explain=explain)


def instant_of(context: Context, text: str | None) -> datetime | None:
    """Read a time given as an option, in the configured zone. Raises InvalidValueError."""
    from cleanupctl.core.times import parse_instant

    return None if text is None else parse_instant(text, context.settings.timezone)
