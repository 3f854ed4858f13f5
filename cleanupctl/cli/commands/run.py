"""`cleanupctl run`: execute the due jobs until none is due."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanupctl.cli.command import command
from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.context import Context
from cleanupctl.core.errors import (
    CleanupctlError,
    CleanupFailedError,
    ExitCode,
    HistoryUnreachableError,
    IncompleteError,
    InvalidValueError,
    NotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from cleanupctl.cli.service.signals import Stopping
    from cleanupctl.cli.views.run import RunReport
    from cleanupctl.core.run.cleaning import History
    from cleanupctl.core.run.events import RunEvent
    from cleanupctl.core.run.executor import Executor, RunRequest
    from cleanupctl.core.store.jobstore import JobStore


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(
        app,
        "run",
        examples=[
            ("cleanupctl run", "execute what is due, then exit: for cron and CI"),
            ("cleanupctl run --dry-run", "say what would go; delete nothing"),
            ("cleanupctl run --dry-run --estimate", "say how long it takes at the rate of the last runs"),
            (
                "cleanupctl run --max-runtime 2h --fail-if-incomplete",
                "exit status 5 if two hours are not enough",
            ),
            ("cleanupctl run --watch", "stay and run whenever a job is due: for a service manager"),
        ],
        exit_codes=[
            ExitCode.CLEANUP_FAILED,
            ExitCode.NOT_FOUND,
            ExitCode.INCOMPLETE,
            ExitCode.UNREACHABLE,
            ExitCode.INTERRUPTED,
            ExitCode.TERMINATED,
        ],
        details="""
            A job is taken under a lease, so that no other process executes it at the same time. Rows go
            in batches, each a transaction of its own, sized to take about as long as batch_time. The run
            ends when nothing expired is left, at the end of the batch window (unless the job is
            immediately due), at a limit, or at SIGTERM or SIGINT: always at the end of a batch. A second
            signal aborts the batch too; the database rolls it back.

            What does not answer does not hold a run up. A batch that is not over some seconds after a signal
            or the end of --max-runtime is broken off, and the job is free: at once, or when its lease ends if
            the job store is what does not answer. A session that waits long is looked for on its server: as
            long as that is at work for it, it may take its time; else the history is not reachable, and the
            lease is not renewed. Lost connections are noticed after half a minute.

            One failing table or history does not stop the others. The job then has one retry less and is
            due again after a while; without retries left it waits for a person: see `cleanupctl jobs`.

            An estimate takes the cost of a row of each table from the latest executions in the job log,
            backlog and inflow from counting what has expired now and a week from now, and follows both
            through the batch windows of the coming year. A table that was not measured is taken to cost what
            its indexes and the foreign keys to it let expect; the estimate then says how much is assumed.
            Where several jobs were not measured together, two are taken to remove a third more than one.

            With --watch it stays in the foreground and cleans every history. SIGHUP makes it read the
            configuration again; one that cannot be used is reported, and the one from before stays in force.
            A job store that is unavailable is asked again until it is back. As a systemd service use
            `Type=notify`, `ExecStart=cleanupctl run --watch` and `ExecReload=kill -HUP $MAINPID`; with
            `WatchdogSec=`, of three minutes at least, it says that it is alive at each batch
            and while it waits.
        """,
    )(run)


def run(
    context: Context,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and run whenever a job is due.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; delete nothing.")] = False,
    estimated: Annotated[
        bool,
        typer.Option(
            "--estimate", help="With --dry-run: how long it takes, and whether the windows are enough."
        ),
    ] = False,
    max_runtime: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Stop after this time, such as 90m or 2h.")
    ] = None,
    max_rows: Annotated[int | None, typer.Option(min=1, metavar="N", help="Delete at most N rows.")] = None,
    history: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only this history; may be repeated.", autocompletion=history_names
        ),
    ] = None,
    fail_if_incomplete: Annotated[
        bool,
        typer.Option("--fail-if-incomplete", help="Exit with 5 if expired rows are left, or may be."),
    ] = False,
    stop_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Stop at the end of the batch once this file exists.")
    ] = None,
) -> None:
    """Execute due cleanup jobs until none is due."""
    from cleanupctl.core.jobs import schedule as scheduling

    _refuse_contradictions(watch=watch, dry_run=dry_run, estimated=estimated, named=bool(history))
    scheduling.check_participation(context.settings)
    runtime = _runtime(max_runtime)
    with context.open_store(create=not dry_run) as store:
        if dry_run:
            _preview(context, store, _histories(context, store, history or []), estimated=estimated)
            return
        from cleanupctl.cli.service.signals import Stopping
        from cleanupctl.core.run.executor import RunRequest

        request = RunRequest(max_rows, runtime, keep_due_date=bool(history))
        seconds = None if watch or runtime is None else runtime.total_seconds()
        with Stopping(stop_file, context.output.error, reloads=watch, seconds=seconds) as stopping:

            def prepare() -> Executor:
                scheduling.check_participation(context.settings)
                return _executor(context, store, _histories(context, store, history or []), stopping)

            if watch:
                _watch(context, store, stopping, prepare, request)
                return
            _correct_due_dates(context, store)
            report = _run_once(context, store, prepare(), request)
        _judge(context, store, report, fail_if_incomplete)


def _correct_due_dates(context: Context, store: JobStore) -> None:
    from cleanupctl.core.jobs.due_dates import correct

    for notice in correct(store, context.settings, store.now() or context.now(), context.origin):
        context.output.notice(notice)


def _refuse_contradictions(*, watch: bool, dry_run: bool, estimated: bool, named: bool) -> None:
    """Raise InvalidValueError for options that do not go together."""
    if watch and dry_run:
        raise InvalidValueError("--watch and --dry-run exclude each other")
    if watch and named:
        # A job is due for all histories: it would stay due, and be run again at once, for ever.
        raise InvalidValueError("--watch and --history exclude each other: a watch cleans every history")
    if estimated and not dry_run:
        raise InvalidValueError("--estimate belongs to --dry-run: write both")


def _watch(
    context: Context,
    store: JobStore,
    stopping: Stopping,
    prepare: Callable[[], Executor],
    request: RunRequest,
) -> None:
    """Run whenever a job is due, until asked to stop; what fails is a notice."""
    from cleanupctl.cli.service.watch import Watch

    def run_due(executor: Executor, alive: Callable[[RunEvent], None]) -> None:
        report = _run_once(context, store, executor, request, alive)
        if report.failures:
            context.output.notice(report.failure_sentence())

    Watch(context, store, stopping, prepare, run_due).until_stopped()


def _runtime(text: str | None) -> timedelta | None:
    from cleanupctl.core.times import parse_duration

    return None if text is None else parse_duration(text)


def _histories(context: Context, store: JobStore, names: Sequence[str]) -> list[History]:
    """Make the configured histories, or those named; the job log comes last."""
    from cleanupctl.cli.commands.history.choice import no_history
    from cleanupctl.core.run.log_history import NAME, JobLogHistory
    from cleanupctl.history.kinds import history

    settings = context.settings
    if not settings.histories and not names:
        context.output.notice(no_history(context))
    known = [configured.name for configured in settings.histories]
    for name in names:
        if name not in (*known, NAME):
            raise NotFoundError(f"no history is called {name}; configured are {', '.join((*known, NAME))}")
    histories: list[History] = [
        history(configured, settings.cleanup)
        for configured in settings.histories
        if not names or configured.name in names
    ]
    if not names or NAME in names:
        histories.append(JobLogHistory(store, settings.cleanup.job_log_ttl, settings.timezone))
    return histories


def _executor(
    context: Context, store: JobStore, histories: Sequence[History], stopping: Stopping
) -> Executor:
    from cleanupctl.cli.service.environment import run_environment
    from cleanupctl.core.run.executor import Executor

    return Executor(
        store=store,
        histories=histories,
        settings=context.settings,
        origin=context.origin,
        environment=run_environment(context, stopping),
    )


def _run_once(
    context: Context,
    store: JobStore,
    executor: Executor,
    request: RunRequest,
    alive: Callable[[RunEvent], None] | None = None,
) -> RunReport:
    from cleanupctl.cli.views.progress import progress
    from cleanupctl.cli.views.run import RunReport

    report = RunReport(context)
    with progress(context.output) as show:
        for event in executor.run(request):
            report.add(event)
            show(event)
            if alive:
                alive(event)
    report.finish(store.jobs())
    report.write()
    if report.account.executions:
        from cleanupctl.cli.views.other_hosts import notice_other_configurations

        notice_other_configurations(context, store)
    return report


def _judge(context: Context, store: JobStore, report: RunReport, fail_if_incomplete: bool) -> None:
    """Turn what happened into an exit code, the worst first."""
    from cleanupctl.cli.views.stuck_jobs import stuck_sentence

    failures = report.failures
    if any(not isinstance(failure.error, CleanupctlError) for failure in failures):
        raise next(failure.error for failure in failures if not isinstance(failure.error, CleanupctlError))
    if failures and all(isinstance(failure.error, HistoryUnreachableError) for failure in failures):
        raise HistoryUnreachableError(report.failure_sentence())
    if failures:
        raise CleanupFailedError(report.failure_sentence())
    stuck = stuck_sentence(store.jobs())
    if stuck:
        raise CleanupFailedError(stuck)
    if fail_if_incomplete and report.account.incomplete:
        raise IncompleteError(f"expired rows may be left: {'; '.join(report.account.reasons_left)}")


def _preview(context: Context, store: JobStore, histories: Sequence[History], *, estimated: bool) -> None:
    """Count what has expired; write it, or how long deleting it takes."""
    from cleanupctl.core.run.preview import count_expired

    now = context.now()
    preview = count_expired(histories, now, context.settings.cleanup.max_clock_skew)
    for notice in preview.notices:
        context.output.notice(f"{notice.history}: {notice.message}")
    if estimated:
        from cleanupctl.cli.views.estimate import show_estimate
        from cleanupctl.core.estimate.backlog import estimate_cleanup

        settings = context.settings
        result = estimate_cleanup(store, settings, histories, preview, now)
        show_estimate(context.output, result, settings.timezone)
        return
    from cleanupctl.cli.views.dry_run import show_preview

    show_preview(context, store.jobs(), preview)
    preview.refuse_failures()
