"""The command tree."""

from __future__ import annotations

from typing import Annotated

import typer

from cleanupctl.cli import config, history, jobs, run, schedule, window
from cleanupctl.cli.command import default_command, group
from cleanupctl.cli.context import Context
from cleanupctl.core.errors import NotFoundError

SUMMARY = "History cleanup from the shell: schedule and run the removal of expired history in batch windows."


def build_app() -> typer.Typer:
    """Put all commands together."""
    app = group(SUMMARY)
    default_command(
        app,
        examples=[
            ("cleanupctl schedule", "make the cleanup jobs due now"),
            ("cleanupctl run", "execute them"),
            ("cleanupctl jobs", "see how they are"),
        ],
    )(root)
    for module in (schedule, jobs, run, window, history, config):
        module.add_to(app)
    return app


def root(
    context: Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """History cleanup from the shell: schedule and run the removal of expired history in batch windows."""
    if not version:
        raise NotFoundError("no command given")
    from cleanupctl import __version__

    context.output.text(f"cleanupctl {__version__}")
