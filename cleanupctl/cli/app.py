"""The command tree."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from cleanupctl.cli.command import default_command, group
from cleanupctl.cli.context import Context
from cleanupctl.core.errors import NotFoundError

COMMANDS = {
    "schedule": "schedule",
    "jobs": "jobs",
    "run": "run",
    "window": "window.group",
    "history": "history.group",
    "config": "config",
}
"""In the order of the help, each with its module in `commands`: only the one that is called is loaded."""

SUMMARY = "History cleanup from the shell: schedule and run the removal of expired history in batch windows."


def build_app(only: str | None = None) -> typer.Typer:
    """Put all commands together, or load just the one called `only`, if there is one."""
    app = group(SUMMARY)
    default_command(
        app,
        examples=[
            ("cleanupctl schedule", "make the cleanup jobs due now"),
            ("cleanupctl run", "execute them"),
            ("cleanupctl jobs", "see how they are"),
        ],
    )(root)
    for name in (only,) if only in COMMANDS else COMMANDS:
        import_module(f"cleanupctl.cli.commands.{COMMANDS[name]}").add_to(app)
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
