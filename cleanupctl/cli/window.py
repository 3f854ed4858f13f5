"""`cleanupctl window`: the batch windows in which cleanup may run."""

from __future__ import annotations

from typing import Annotated

import typer

from cleanupctl.cli.command import command, default_command, group
from cleanupctl.cli.context import Context


def add_to(app: typer.Typer) -> None:
    """Register the group and its commands."""
    window = group("Show and change the batch windows in which cleanup may run.")
    default_command(window, examples=[("cleanupctl window", "the current or next batch window")])(show)
    command(window, "show", examples=[("cleanupctl window show --at 2026-12-24T22:00", "for any instant")])(
        show
    )
    app.add_typer(window, name="window")


def show(
    context: Context,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Answer for this instant, not for now.")
    ] = None,
) -> None:
    """Show the current or next batch window."""
    from cleanupctl.cli.shapes import window_object
    from cleanupctl.core.times import parse_instant

    settings = context.settings
    now = context.now() if at is None else parse_instant(at, settings.timezone)
    window = settings.windows.current_or_next(now)
    context.output.data(window_object(window, settings.timezone, enabled=settings.cleanup.enabled))
