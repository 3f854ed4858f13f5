"""`cleanupctl jobs`: the reliable view of the cleanup jobs and their log, and what a person may change."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cleanupctl.cli.command import command, default_command, group
from cleanupctl.cli.completion.values import job_ids as known_ids
from cleanupctl.cli.context import Context
from cleanupctl.core.errors import ExitCode, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cleanupctl.core.job import Job


class Outcome(StrEnum):
    """The states of log entries, as words for an option."""

    CREATED = "created"
    FAILED = "failed"
    SUCCESSFUL = "successful"
    DELETED = "deleted"


JobId = Annotated[
    str,
    typer.Argument(metavar="ID", help="Id of a job, or the beginning of one.", autocompletion=known_ids),
]
JobIds = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID…", help="Ids of jobs, or the beginnings of them.", autocompletion=known_ids),
]
All = Annotated[bool, typer.Option("--all", help="All jobs.")]


def add_to(app: typer.Typer) -> None:
    """Register the group and its commands."""
    jobs = group("List cleanup jobs, show their log, suspend, activate, give retries.")
    found = [ExitCode.NOT_FOUND, ExitCode.UNREACHABLE]
    default_command(
        jobs,
        examples=[
            ("cleanupctl jobs", "all cleanup jobs"),
            ("cleanupctl jobs --json | jq '.[] | select(.retries == 0)'", "jobs that wait for a person"),
        ],
        exit_codes=[ExitCode.UNREACHABLE],
    )(list_jobs)
    command(
        jobs,
        "list",
        examples=[("cleanupctl jobs list", "all cleanup jobs")],
        exit_codes=[ExitCode.UNREACHABLE],
    )(list_jobs)
    command(
        jobs, "show", examples=[("cleanupctl jobs show 074b", "everything about one job")], exit_codes=found
    )(show)
    command(
        jobs,
        "log",
        examples=[
            ("cleanupctl jobs log --limit 5", "the last five entries"),
            ("cleanupctl jobs log --outcome failed --since 2026-11-01", "failures of this month"),
        ],
        exit_codes=found,
    )(log)
    command(
        jobs,
        "suspend",
        examples=[("cleanupctl jobs suspend --all", "no job runs any more")],
        exit_codes=found,
    )(suspend)
    command(
        jobs,
        "activate",
        examples=[("cleanupctl jobs activate 074b", "a suspended job may run")],
        exit_codes=found,
    )(activate)
    command(
        jobs,
        "retries",
        examples=[("cleanupctl jobs retries 074b 3", "let a failed job try three times more")],
        exit_codes=found,
    )(retries)
    app.add_typer(jobs, name="jobs")


def list_jobs(context: Context) -> None:
    """List the cleanup jobs."""
    from cleanupctl.cli.views.jobs import show_jobs
    from cleanupctl.cli.views.other_hosts import notice_other_configurations
    from cleanupctl.cli.views.stuck_jobs import stuck_sentence

    with context.open_store(create=False) as store:
        jobs = store.jobs()
        show_jobs(context, jobs)
        stuck = stuck_sentence(jobs)
        if stuck:
            context.output.notice(stuck)
        notice_other_configurations(context, store)


def show(context: Context, job_id: JobId) -> None:
    """Show one job: state, next run, last error with its stack trace, lock owner, partition."""
    from cleanupctl.cli.views.jobs import show_job

    with context.open_store(create=False) as store:
        jobs = store.jobs()
        job = store.job(job_id)
    show_job(context, job, len(jobs))


def log(
    context: Context,
    job_id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="Only entries of this job.", autocompletion=known_ids),
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only entries from this time on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only entries before this time.")] = None,
    outcome: Annotated[list[Outcome] | None, typer.Option(help="Only such entries; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many entries.")] = 100,
) -> None:
    """Show the job log, newest first: when, where, how many rows, how long, what failed."""
    from cleanupctl.cli.views.job_log import show_log
    from cleanupctl.core.job import LogState

    states = [LogState[name.upper()] for name in outcome] if outcome else None
    with context.open_store(create=False) as store:
        entries = store.log(
            job_id=_logged_job(store.jobs(), job_id),
            since=_instant(context, since),
            until=_instant(context, until),
            states=states,
            limit=limit,
        )
    show_log(context.output, entries, context.settings.timezone)


def _logged_job(jobs: Sequence[Job], prefix: str | None) -> str | None:
    """Complete the id of a job; a deleted job is known to the log only, by its whole id."""
    if prefix is None:
        return None
    from cleanupctl.core.store.jobstore import match_job

    whole = 36
    return prefix if len(prefix) == whole else match_job(jobs, prefix).id


def _instant(context: Context, text: str | None) -> datetime | None:
    from cleanupctl.core.times import parse_instant

    return None if text is None else parse_instant(text, context.settings.timezone)


def suspend(context: Context, job_ids: JobIds = None, all_: All = False) -> None:
    """Suspend jobs: they do not run until activated or scheduled anew."""
    _set_suspended(context, job_ids, all_, suspended=True)


def activate(context: Context, job_ids: JobIds = None, all_: All = False) -> None:
    """Activate suspended jobs."""
    _set_suspended(context, job_ids, all_, suspended=False)


def _set_suspended(context: Context, job_ids: list[str] | None, all_: bool, *, suspended: bool) -> None:
    from cleanupctl.cli.views.jobs import show_jobs

    if bool(job_ids) == all_:
        raise InvalidValueError("name the jobs by their ids, or say --all")
    with context.open_store(create=False) as store:
        jobs = store.suspend(None if all_ else job_ids, suspended)
    show_jobs(context, jobs)


def retries(
    context: Context,
    job_id: JobId,
    number: Annotated[int, typer.Argument(metavar="N", min=0, help="Attempts left.")],
) -> None:
    """Set how many attempts a job has left; 0 keeps it from running."""
    from cleanupctl.cli.views.jobs import show_jobs

    with context.open_store(create=False) as store:
        job = store.set_retries(job_id, number)
    show_jobs(context, [job])
