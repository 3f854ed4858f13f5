"""`cleanupctl window`: the batch windows in which cleanup may run, now, at any time and on the calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.cli.command import command, default_command, group
from cleanupctl.cli.commands.window.edit import clear, set_
from cleanupctl.cli.commands.window.list import list_
from cleanupctl.cli.commands.window.show import show
from cleanupctl.core.errors import ExitCode

if TYPE_CHECKING:
    import typer

_SHOW_DETAILS = """
    As JSON it is the engine's answer: batchWindowStartTime, batchWindowEndTime (both null when there is
    no window) and enabled, which says whether this node takes part in cleanup. With --explain it has
    a fourth member, explanation: for each day that was looked at, what came of every rule.
"""
_LIST_DETAILS = """
    As JSON it is an array of objects: start, end, weekday, lengthSeconds, rule, clockChangeSeconds (by how
    much the clocks are put forward, or below zero back, while the window is open) and startMoved (whether
    the clocks skip its start, so that it starts when the gap ends). In the table, CLOCKS says the same.

    --calendar draws whole days: from the day of --from to the day of the last window listed, or to the one
    that --until ends, with all windows of these days. A row is the wall clock of a day, a character half an
    hour, and what is open for any part of a quarter of an hour is drawn as open. A window that goes
    over midnight goes on in the next row. On a day marked with * the clocks change: hours that are
    skipped are crossed out; of hours that pass twice, those that are open only once are shaded. Where
    the encoding of the terminal has no block characters it is drawn in ASCII.
"""
_EDIT_DETAILS = """
    The configuration file in force is changed (the one --config names, else $CLEANUPCTL_CONFIG, the user's
    or the system's), and made for its owner alone if there is none. Comments and everything else in it
    stay. It is replaced as a whole, or not at all: an unusable file is not changed.

    Jobs keep the due dates they have until the next `cleanupctl schedule`, or until --reschedule, which
    does what `cleanupctl schedule --not-immediately-due` does, with the windows just written. Whether
    a job that is due may run is always asked of the windows that the file has then.

    What is printed is the current or next window by the changed file, as `cleanupctl window show` does;
    with --reschedule the JSON object has a fourth member, jobs.
"""


def add_to(app: typer.Typer) -> None:
    """Register the group and its commands."""
    window = group("Show and change the batch windows in which cleanup may run.")
    default_command(
        window,
        examples=[("cleanupctl window", "the current or next batch window")],
        details=_SHOW_DETAILS,
    )(show)
    command(
        window,
        "show",
        examples=[
            ("cleanupctl window show", "whether it is open, and until when"),
            ("cleanupctl window show --at 2026-12-24T22:00", "for any instant"),
            ("cleanupctl window show --explain", "which rule made it, and why not the others"),
        ],
        details=_SHOW_DETAILS,
    )(show)
    command(
        window,
        "list",
        examples=[
            ("cleanupctl window list", "the next seven"),
            ("cleanupctl window list --from 2026-01-01 --until 2027-01-01 --json", "a year, for a program"),
            (
                "cleanupctl window list --calendar --from 2026-10-01 --until 2026-11-01",
                "a month, drawn",
            ),
        ],
        details=_LIST_DETAILS,
    )(list_)
    command(
        window,
        "set",
        examples=[
            ("cleanupctl window set 22:00 06:00", "every night"),
            ("cleanupctl window set 00:00 24:00 --day sunday", "all of Sunday"),
            ("cleanupctl window set --cron '0 1,13 * * *' --duration 2h", "twice a day"),
            ("cleanupctl window set 22:00 06:00 --dry-run", "change nothing"),
        ],
        exit_codes=[ExitCode.UNREACHABLE],
        details=_EDIT_DETAILS,
    )(set_)
    command(
        window,
        "clear",
        examples=[
            ("cleanupctl window clear --day sunday --yes", "on Sundays the general window holds again"),
            ("cleanupctl window clear --reschedule --yes", "no windows: the cleanup jobs are suspended"),
        ],
        exit_codes=[ExitCode.UNREACHABLE],
        details=_EDIT_DETAILS,
    )(clear)
    app.add_typer(window, name="window")
