"""`cleanupctl history orphans`: rows that belong to nothing any more, counted or removed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable

TELL_EVERY = 10
"""Seconds after which a long deletion says how far it has come."""
DETAILS = """
Orphans are rows whose root process instance is gone together with every other instance of its tree, and
that no execution of the engine needs; and byte arrays that no row refers to, in any column that can hold
the id of one. Resources of deployments are none, nor is anything younger than a day. Crashed clean-ups,
scripts and old versions of the engine leave them behind.

Counting reads whole tables. With `--delete` they are removed, 10,000 rows looked at by each transaction;
when stopped, the rest is there for the next call.

The JSON is an array of objects, one for each history: history, deleted (whether they were removed), and
orphans, an array of objects with table, cause and rows.
"""


def orphans(
    context: Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Only this history; all of kind camunda otherwise.",
            autocompletion=history_names,
        ),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove them.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count them only, also with --delete.")] = False,
) -> None:
    """Count, or remove, rows of an engine's history that belong to nothing any more."""
    from cleanupctl.cli.commands.history.choice import engine_histories
    from cleanupctl.history.camunda.repair.orphans import clean_orphans

    deleted = delete and not dry_run
    found = {
        one.name: list(clean_orphans(one, context.now(), delete_them=deleted, tell=_teller(context)))
        for one in engine_histories(context, name)
    }
    if context.output.json:
        context.output.data(
            [
                {
                    "history": history,
                    "deleted": deleted,
                    "orphans": [{"table": f.table, "cause": f.reason, "rows": f.rows} for f in listed],
                }
                for history, listed in found.items()
            ]
        )
        return
    rows = [
        (history, f.table, f.reason, f"{f.rows:,}") for history in found for f in found[history] if f.rows
    ]
    if rows:
        heading = "DELETED" if deleted else "ROWS"
        context.output.table(("HISTORY", "TABLE", "CAUSE", heading), rows, right=(heading,))
        if not deleted:
            context.output.notice("nothing was deleted; --delete removes them")
    elif found:
        context.output.text("no orphans")


def _teller(context: Context) -> Callable[[str, int], None]:
    """Make what tells from time to time how far a deletion has come."""
    told = time.monotonic()

    def tell(table: str, rows: int) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_EVERY:
            context.output.notice(f"{table}: {rows:,} orphans deleted so far")
            told = time.monotonic()

    return tell
