"""`cleanupctl window set` and `window clear`: changing the batch windows in the configuration file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from cleanupctl.cli.confirmation import Yes, confirm
from cleanupctl.cli.context import Context
from cleanupctl.core.errors import (
    CleanupctlError,
    ConfigurationError,
    InvalidValueError,
    NotFoundError,
)
from cleanupctl.core.windows.rules import WEEKDAYS

if TYPE_CHECKING:
    from cleanupctl.core.configuration.editing.editor import EditResult, WindowChange
    from cleanupctl.core.job import Job
    from cleanupctl.core.settings import Settings

Day = Annotated[
    str | None,
    typer.Option(
        "--day",
        metavar="DAY",
        help="Only for the windows that start on this weekday: monday to sunday, or mon to sun.",
        autocompletion=lambda: list(WEEKDAYS),
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show how the file would change, and change nothing.")
]
Reschedule = Annotated[
    bool,
    typer.Option(
        "--reschedule", help="Then schedule the jobs anew: due in the current or next batch window."
    ),
]


def set_(
    context: Context,
    start: Annotated[
        str | None,
        typer.Argument(metavar="START", help="When the window starts: HH:mm, maybe with an offset."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Argument(metavar="END", help="When it ends; the next day if that is not after START."),
    ] = None,
    day: Day = None,
    cron: Annotated[
        str | None,
        typer.Option(
            "--cron",
            metavar="EXPR",
            help="Instead of START and END: a window starts whenever this occurs (five fields, or @daily).",
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(
            "--duration", metavar="D", help="How long such a window is, up to 31 days: 90m, 2h, PT2H."
        ),
    ] = None,
    dry_run: DryRun = False,
    reschedule: Reschedule = False,
) -> None:
    """Set a batch window in the configuration file: for every day, or for one weekday."""
    times, cron_parts = (start, end), (cron, duration)
    if any(part is not None for part in times) and any(part is not None for part in cron_parts):
        raise InvalidValueError("a window has either START and END, or --cron and --duration: give one pair")
    change = _cron_change(cron, duration, day) if start is None and cron_parts != (None, None) else None
    _edit(context, change or _daily_change(start, end, day), dry_run=dry_run, reschedule=reschedule)


def clear(
    context: Context,
    day: Day = None,
    dry_run: DryRun = False,
    reschedule: Reschedule = False,
    yes: Yes = False,
) -> None:
    """Take away every batch window, or the own window of a weekday, from the configuration file."""
    from cleanupctl.core.configuration.editing.editor import ClearWindow

    if not dry_run:
        which = f"the own window of {_weekday(day)}" if day else "every batch window"
        confirm(context.output, f"clearing {which}", lambda: _clear_question(context, which), yes=yes)
    _edit(context, ClearWindow(_weekday(day)), dry_run=dry_run, reschedule=reschedule)


def _clear_question(context: Context, which: str) -> str:
    """Say what ends with the windows; a configuration that cannot be used is edited all the same."""
    from cleanupctl.core.configuration.editing.editor import editable_configuration

    path = editable_configuration(os.environ, config=context.options.config)
    return f"take {which} out of {path}? Without a window jobs run only when they are immediately due"


def _daily_change(start: str | None, end: str | None, day: str | None) -> WindowChange:
    from cleanupctl.core.configuration.editing.editor import SetDailyWindow
    from cleanupctl.core.times import parse_time_of_day

    if start is None or end is None:
        given = "" if start is None else f", not only {start}"
        raise InvalidValueError(f"give START and END, such as 22:00 06:00{given}; or --cron and --duration")
    for name, text in (("START", start), ("END", end)):
        try:
            parse_time_of_day(text, end=name == "END")
        except InvalidValueError as error:
            raise InvalidValueError(f"{name}: {error.message}") from None
    return SetDailyWindow(start, end, _weekday(day))


def _cron_change(cron: str | None, duration: str | None, day: str | None) -> WindowChange:
    from cleanupctl.core.configuration.editing.editor import SetCronWindow

    if cron is None or duration is None:
        missing = "--duration" if duration is None else "--cron"
        raise InvalidValueError(
            f"a window by cron expression has --cron and --duration: {missing} is missing"
        )
    if day is not None:
        raise InvalidValueError("a cron expression says its days itself: leave --day out")
    return SetCronWindow(cron, duration)


def _weekday(text: str | None) -> str | None:
    if text is None:
        return None
    given = text.strip().lower()
    named = next((day for day in WEEKDAYS if given in (day, day[:3])), None)
    if named is None:
        raise InvalidValueError(f"{text!r} is not a weekday: write one of {', '.join(WEEKDAYS)}")
    return named


def _edit(context: Context, change: WindowChange, *, dry_run: bool, reschedule: bool) -> None:
    from cleanupctl.cli.views.window_change import show_changed, show_difference
    from cleanupctl.core.configuration.editing.editor import edit_window, editable_configuration

    if dry_run and reschedule:
        raise InvalidValueError("--dry-run changes nothing: leave --reschedule out")
    path = editable_configuration(os.environ, config=context.options.config)
    is_new = not path.exists()
    _check_before(context, reschedule=reschedule, is_new=is_new)
    result = edit_window(path, change, dry_run=dry_run)
    if dry_run:
        show_difference(context.output, result)
        return
    done = f"{'created' if is_new else 'changed'} {path}"
    context.output.notice(done if result.changed else f"{path} says so already: nothing was changed")
    fresh = Context(context.options)
    settings = _settings_of(fresh, result)
    if reschedule:
        show_changed(fresh, settings, _reschedule(fresh))
        return
    show_changed(fresh, settings, None)
    if result.changed:
        _tell_of_waiting_jobs(fresh)


def _check_before(context: Context, *, reschedule: bool, is_new: bool) -> None:
    """Meet what would stop us before the file is changed: afterwards it would be half of what was asked."""
    from cleanupctl.core.configuration.reader import load_settings
    from cleanupctl.core.jobs.schedule import check_participation

    options = context.options
    try:
        settings = load_settings(config=options.config, database=options.database, environment=os.environ)
    except ConfigurationError:
        # editing asks less of a file: whoever edits need not have the service's variables and passwords
        if reschedule and not is_new:
            raise
        return
    if reschedule:
        check_participation(settings)


def _settings_of(context: Context, result: EditResult) -> Settings:
    """Read the changed file again, like any later command; for its windows its form is enough."""
    try:
        return context.settings
    except ConfigurationError as error:
        from cleanupctl.core.configuration.file import ConfigurationText
        from cleanupctl.core.configuration.reader import ConfigSources, build_settings

        text = ConfigurationText(result.path, result.after)
        settings = build_settings(text, ConfigSources({}, is_root=False), None, form_only=True)
        if "timezone" not in settings.given:
            raise  # only the whole configuration knows the zone, and so when the windows are
        context.output.notice(f"{error.message}: {'; '.join(error.faults)}")
        return settings


def _reschedule(context: Context) -> list[Job]:
    from cleanupctl.core.jobs import schedule as scheduling

    settings = context.settings
    try:
        with context.open_store(create=settings.windows.configured) as store:
            jobs = scheduling.schedule(
                store, settings, now=context.now(), immediately_due=False, origin=context.origin
            )
    except NotFoundError:
        context.output.notice("there are no cleanup jobs, and without a batch window none are created")
        return []
    if not settings.windows.configured:
        context.output.notice("no batch window is left, so the cleanup jobs are suspended")
    return jobs


def _tell_of_waiting_jobs(context: Context) -> None:
    """Tell that jobs keep their due dates, if there are any; the change is made, whatever the store says."""
    from cleanupctl.core.store import open_store

    keeps = "jobs keep their due dates until the next `cleanupctl schedule --not-immediately-due`"
    try:
        with open_store(context.settings.store, create=False) as store:
            if store.missing or not store.jobs():
                return
    except CleanupctlError as error:
        context.output.notice(f"{error.message}; cleanup {keeps}")
        return
    context.output.notice(f"the cleanup {keeps}; --reschedule does it at once")
