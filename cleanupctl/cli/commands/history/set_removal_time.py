"""`cleanupctl history set-removal-time`: absolute, cleared or calculated, for chosen instances."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.confirmation import Yes, confirm
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.repair.removal_times import RemovalTimesPlanner
    from cleanupctl.history.camunda.repair.requests import Absolute, Calculated

Kind = Literal["process", "decision", "batch"]
Base = Literal["start", "end"]

DETAILS = """
Conditions are joined: an instance has to meet all that are given. Without any the command refuses to work;
`--all` says that every instance is meant. The instances are looked at in chunks, and only rows whose value
differs are written, the instance rows last: when stopped, the same command goes on where it was. As in
`cleanupctl run`, a transaction writes at most batch_size rows and takes about as long as batch_time, the
pauses of [throttle] are kept, SIGTERM or SIGINT end it after the batch, and the job log gets an entry. At a
terminal it counts and asks first; elsewhere it needs --yes. Begin with --dry-run.

`--calculate` takes the start or the end of the instance and the time to live that its definition has now,
as `cleanupctl history ttl` shows it; of a batch operation that of its type in batch_ttl of the configuration.
As in the engine, an instance without one of the two gets no removal time: what it has is cleared. With
`--hierarchical` the whole tree of a selected instance gets what its root gets.

The JSON is an object: history, dryRun, instances (selected), skipped (their root is gone) and changed, an
array of objects with table and rows.
"""


def set_removal_time(
    context: Context,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of instances or batches.")
    ] = None,
    absolute: Annotated[
        str | None, typer.Option(metavar="TIME", help="Set this time: 2026-12-24T22:00, or a date.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the removal time away.")] = False,
    calculate: Annotated[
        bool, typer.Option("--calculate", help="Calculate it from the time to live of today.")
    ] = False,
    base: Annotated[Base, typer.Option(help="Calculate from the start or from the end.")] = "end",
    kind: Annotated[Kind, typer.Option(help="What is selected.")] = "process",
    definition_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Only of this definition; of batches: of this type."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(metavar="ID", help="Only of this tenant.")] = None,
    finished_after: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those that ended then or later.")
    ] = None,
    finished_before: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those that ended then or earlier.")
    ] = None,
    without: Annotated[bool, typer.Option("--without", help="Only those that have no removal time.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Every instance: no condition on purpose.")] = False,
    hierarchical: Annotated[
        bool, typer.Option("--hierarchical", help="The whole tree of each, by its root.")
    ] = False,
    chunk: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="Instances at a time.")] = 500,
    history: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The history, when several of kind camunda are configured.",
            autocompletion=history_names,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would change; change nothing.")
    ] = False,
    fail_if_incomplete: Annotated[
        bool, typer.Option("--fail-if-incomplete", help="Exit with 5 if it stopped before it was finished.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Set, clear or calculate the removal time of chosen instances and of what belongs to them."""
    from cleanupctl.cli.commands.history.choice import one_engine_history
    from cleanupctl.cli.commands.history.maintenance import Operation
    from cleanupctl.cli.views.history_removal_times import show_changes
    from cleanupctl.history.camunda.repair.removal_times import RemovalTimesPlanner
    from cleanupctl.history.camunda.repair.requests import InstanceFilter

    wanted = _wanted(context, absolute, base, clear=clear, calculate=calculate)
    selection = InstanceFilter(
        kind,
        tuple(ids or ()),
        definition_key,
        tenant,
        _time(context, finished_after),
        _time(context, finished_before),
        without,
        all_,
    )
    selection.check()
    settings = one_engine_history(context, history)

    def planned(*, counting: bool) -> RemovalTimesPlanner:
        return RemovalTimesPlanner(
            settings, selection, wanted, hierarchical=hierarchical, chunk=chunk, dry_run=counting
        )

    def question() -> str:
        counting = planned(counting=True)
        changed = _counted(context, settings, counting)
        tables = ", ".join(f"{rows:,} of {table}" for table, rows in sorted(changed.items()))
        return (
            f"change the removal time of {counting.selected.instances:,} instances of {settings.name}"
            f" ({tables or 'no rows'})?"
        )

    planner = planned(counting=dry_run)
    operation = Operation(context, "set-removal-time")
    if dry_run:
        changed = _counted(context, settings, planner)
    else:
        confirm(context.output, "setting removal times", question, yes=yes)
        operation.carry_out(settings, planner)
        changed = Counter({table: rows for (_, table), rows in operation.totals.changed.items()})
    show_changes(context.output, settings.name, changed, planner.selected, dry_run=dry_run)
    operation.judge(fail_if_incomplete=fail_if_incomplete)


def _counted(context: Context, settings: CamundaSettings, planner: RemovalTimesPlanner) -> Counter[str]:
    """Count the rows that would change, by table. Raise HistoryError."""
    from cleanupctl.core.run.cleaning import Expired, Failed
    from cleanupctl.history.kinds import history_with

    changed: Counter[str] = Counter()
    with history_with(planner, settings, context.settings.cleanup).open() as session:
        for event in session.preview(context.now()):
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Expired):
                changed[event.table] += event.rows
    return changed


def _wanted(
    context: Context, absolute: str | None, base: Base, *, clear: bool, calculate: bool
) -> Absolute | Calculated:
    from cleanupctl.core.errors import InvalidValueError
    from cleanupctl.history.camunda.repair.requests import Absolute, Calculated

    if (absolute is not None) + clear + calculate != 1:
        raise InvalidValueError("say what to set with one of --absolute TIME, --clear and --calculate")
    return Calculated(base) if calculate else Absolute(_time(context, absolute))


def _time(context: Context, text: str | None) -> datetime | None:
    from cleanupctl.core.times import parse_instant

    return None if text is None else parse_instant(text, context.settings.timezone)
