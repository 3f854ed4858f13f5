"""`cleanupctl history orphans`: rows that belong to nothing any more, counted or removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.confirmation import Yes, confirm
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from cleanupctl.cli.commands.history.maintenance import Operation
    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.repair.orphans import Found

DETAILS = """
Orphans are rows whose root process instance is gone together with every other instance of its tree, and
that no execution of the engine needs; and byte arrays that no row refers to, in any column that can hold
the id of one. Resources of deployments are none, nor is anything younger than a day; rows without a time
are taken only where their id, a time-based UUID, proves their age. Crashed clean-ups, scripts and old
versions of the engine leave them behind.

The policy keeps orphans too: rows with a removal time to come, rows that are younger than the time to live of
their definition, and those of a definition with `ttl = "none"`. Decisions whose process went first are
instances of their own: they are orphans once their own time to live is past, and never without one. A row
that a foreign key of any table points at stays, whatever that key would do. When a table that may say
otherwise cannot be read, none is told to be an orphan.

Counting reads whole tables. `--delete` counts and asks first at a terminal, and needs `--yes` elsewhere.
Then they are removed as `cleanupctl run` removes rows: in batches of at most batch_size rows that take about
as long as batch_time, with the pauses of [throttle], and with an entry in the job log. SIGTERM or SIGINT end
it after the batch; the rest is there for the next call.

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
    fail_if_incomplete: Annotated[
        bool, typer.Option("--fail-if-incomplete", help="Exit with 5 if it stopped before it was finished.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Count, or remove, rows of an engine's history that belong to nothing any more."""
    from cleanupctl.cli.commands.history.choice import engine_histories
    from cleanupctl.cli.commands.history.maintenance import Operation
    from cleanupctl.cli.views.history_orphans import show_orphans
    from cleanupctl.history.camunda.repair.orphans import count_orphans

    deleted = delete and not dry_run
    histories = engine_histories(context, name)

    def counted() -> dict[str, list[Found]]:
        return {one.name: list(count_orphans(one, context.now())) for one in histories}

    operation = Operation(context, "orphans")
    if deleted:
        confirm(context.output, "removing orphans", lambda: _question(counted()), yes=yes)
        found = {one.name: _removed(operation, one) for one in histories}
    else:
        found = counted()
    show_orphans(context.output, found, deleted=deleted)
    operation.judge(fail_if_incomplete=fail_if_incomplete)


def _question(found: dict[str, list[Found]]) -> str:
    """Say what would be removed, table by table."""
    tables = [
        f"{one.rows:,} of {history}: {one.table} ({one.reason})"
        for history in found
        for one in found[history]
        if one.rows
    ]
    total = sum(one.rows for listed in found.values() for one in listed)
    return f"remove {total:,} rows{': ' if tables else ''}{'; '.join(tables)}?"


def _removed(operation: Operation, settings: CamundaSettings) -> list[Found]:
    """Remove the orphans of one history, unless it was stopped in one before."""
    from cleanupctl.history.camunda.repair.orphans import Found, OrphansPlanner

    if operation.stopped:
        return []
    planner = OrphansPlanner(settings)
    operation.carry_out(settings, planner)
    rows = operation.totals.rows
    names = [(one.target.table.name, one.reason) for one in planner.tables]
    return [Found(table, reason, rows[settings.name, table]) for table, reason in names]
