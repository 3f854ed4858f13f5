"""`cleanupctl history check`: whether everything is there that cleaning a history needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.core.settings import HistorySettings
    from cleanupctl.history.databases.findings import Checked

DETAILS = """
Each finding is an error (cleanup cannot work), a warning (it works badly, or not on everything) or a hint,
with a sentence and, where there is one, the remedy: often a statement for the database, such as the
CREATE INDEX or the GRANT that is missing. Nothing is changed, and nothing is read but the catalogue and
a few rows. A history that is not reachable does not keep the others from being checked.

The exit status is 0 also with warnings and hints, 3 with an error, and 11 when a history is not reachable,
whatever else was found.

The JSON is an array of objects, one for each history: history, reachable, schemaVersion (of an engine's
tables) and findings, each an object with severity (`error`, `warning` or `hint`), table, message and remedy.
"""


def check(
    context: Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="Only this history; all of them otherwise.", autocompletion=history_names
        ),
    ] = None,
) -> None:
    """Find out what keeps a history from being cleaned, or makes it slow."""
    from cleanupctl.cli.commands.history.choice import chosen_histories
    from cleanupctl.cli.views.history_check import show_checked

    checked = [_check(context, settings) for settings in chosen_histories(context, name)]
    show_checked(context.output, checked)
    _fail(checked)


def _fail(checked: Sequence[Checked]) -> None:
    """Raise what the exit status is to tell: nobody to ask comes before what was found elsewhere."""
    from cleanupctl.core.errors import CleanupFailedError, HistoryUnreachableError

    unreachable = [one.history for one in checked if not one.reachable]
    failed = [one.history for one in checked if one.reachable and one.failed]
    errors = f"errors in history {', '.join(failed)}: cleanup cannot do all its work"
    if unreachable:
        others = f"; {errors}" if failed else ""
        raise HistoryUnreachableError(f"history {', '.join(unreachable)} is not reachable{others}")
    if failed:
        raise CleanupFailedError(errors)


def _check(context: Context, settings: HistorySettings) -> Checked:
    from cleanupctl.core.errors import HistoryUnreachableError
    from cleanupctl.history import check as checking
    from cleanupctl.history.databases.findings import Checked, Finding

    try:
        return checking.check(settings, context.now(), max_clock_skew=context.settings.cleanup.max_clock_skew)
    except HistoryUnreachableError as error:
        remedy = "correct url of the history, or start its database"
        finding = Finding("error", None, error.message, remedy)
        return Checked(settings.name, None, (finding,), reachable=False)
