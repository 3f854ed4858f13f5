"""`cleanupctl schedule`: create the cleanup jobs, or give those that exist a new due date."""

from __future__ import annotations

from typing import Annotated

import typer

from cleanupctl.cli.command import command
from cleanupctl.cli.context import Context
from cleanupctl.core.errors import ExitCode


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(
        app,
        "schedule",
        examples=[
            ("cleanupctl schedule", "due at once, whatever the batch window"),
            (
                "cleanupctl schedule --not-immediately-due",
                "due in the current or next batch window: for cron",
            ),
        ],
        exit_codes=[ExitCode.NOT_FOUND, ExitCode.UNREACHABLE],
        details="""
            Any number of calls at the same time, from any number of hosts that share a job store, leave
            exactly as many jobs as the configured parallelism. Jobs that exist keep their id; their
            retries go back to the default, a stored exception is cleared, a suspended job is active
            again. A job that is being executed is taken back from its executor, which stops at the end
            of its batch.

            What is printed is what was stored: the first job, as a JSON object or a table.
        """,
    )(schedule)


def schedule(
    context: Context,
    immediately_due: Annotated[
        bool,
        typer.Option(
            "--immediately-due/--not-immediately-due",
            help="Due now, ignoring the batch window; or due in the current or next batch window.",
        ),
    ] = True,
) -> None:
    """Create the cleanup jobs, or reschedule those that exist."""
    from cleanupctl.cli.views.jobs import show_scheduled
    from cleanupctl.core.jobs import schedule as scheduling

    settings = context.settings
    scheduling.check_participation(settings)
    with context.open_store(create=True) as store:
        jobs = scheduling.schedule(
            store,
            settings,
            now=context.now(),
            immediately_due=immediately_due,
            origin=context.origin,
        )
    if not immediately_due and all(job.suspended for job in jobs):
        context.output.notice(
            "no batch window is configured, so the cleanup jobs are suspended:"
            " set one with `cleanupctl window set 22:00 06:00`, then schedule again"
        )
    show_scheduled(context, jobs)
