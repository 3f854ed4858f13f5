"""`cleanupctl history report`: what is cleanable, what never will be, and how much room it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from cleanupctl.cli.context import Context as CliContext
    from cleanupctl.history.camunda.report.cleanable import Cleanable
    from cleanupctl.history.camunda.report.report import FullReport

DETAILS = """
For histories of kind camunda. The first part is the engine's own cleanable report: for each definition the
finished instances and those that a run would remove now; under the end-time strategy by root, what was called
with its caller, and decisions with the process or case that evaluated them. Then come rows without a removal
time by table and cause, rows that belong to nothing (orphans), and the size of each table with what the
removal would free for new rows. Databases keep that room for new rows and do not give it back to the disk.

Small tables are counted. Of tables with more than 200,000 rows the numbers are estimated from the
database's statistics, cleanable instances from a sample of some thousand, and orphans are not looked for;
under the end-time strategy what goes with the instances is estimated from 20,000 rows on. --exact counts
everything, which reads whole tables.

A history that cannot be read does not keep the others from being reported; the exit status tells.

The JSON is an array of objects, one for each history: history, strategy, exact, processes, decisions,
cases, batches, withoutRemovalTime, orphans and tables. The entries of processes have the keys of the
engine's REST API: processDefinitionId, processDefinitionKey, processDefinitionName,
processDefinitionVersion, historyTimeToLive, finishedProcessInstanceCount, cleanableProcessInstanceCount
and tenantId; those of decisions and cases likewise (decisionDefinitionId and so on); those of batches
have batchType, historyTimeToLive, finishedBatchesCount and cleanableBatchesCount. definitionGone says that
the engine has the definition no more; estimated that the numbers beside it are. withoutRemovalTime has
objects with table, cause, rows and estimated; orphans with table, cause and rows (null: not counted); tables
with table, rows (by the statistics), bytes, expiredRows and estimated, oldestExpired (the removal time of the
oldest such row; under the end-time strategy the end of the oldest such instance) and freedBytes.
"""
_NAMES = {"process": "Process", "decision": "Decision", "case": "Case"}


def report(
    context: Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="Only this history; all of them otherwise.", autocompletion=history_names
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Count every row, also in big tables, however long it takes.")
    ] = False,
    compact: Annotated[
        bool, typer.Option("--compact", help="Leave out definitions and tables that have nothing to clean.")
    ] = False,
) -> None:
    """Report what of an engine's history is cleanable, by definition and by table."""
    from cleanupctl.cli.commands.history.choice import engine_histories
    from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
    from cleanupctl.history.camunda.report.report import full_report

    reports: list[FullReport] = []
    failures: list[HistoryError | HistoryUnreachableError] = []
    for settings in engine_histories(context, name):
        try:
            reports.append(full_report(settings, context.now(), exact=exact))
        except (HistoryError, HistoryUnreachableError) as error:
            failures.append(error)
            continue
        if not context.output.json:
            _show(context, reports[-1], compact=compact)
    if context.output.json and (reports or not failures):
        context.output.data([_object(one, context.settings.timezone, compact=compact) for one in reports])
    for failure in failures[1:]:
        context.output.notice(failure.message)
    if failures:
        raise failures[0]


def _object(one: FullReport, zone: ZoneInfo, *, compact: bool) -> dict[str, Any]:
    from cleanupctl.core.times import format_instant

    return {
        "history": one.history,
        "strategy": one.strategy,
        "exact": one.exact,
        "processes": [_definition(c) for c in _kept(one.cleanable, "process", compact=compact)],
        "decisions": [_definition(c) for c in _kept(one.cleanable, "decision", compact=compact)],
        "cases": [_definition(c) for c in _kept(one.cleanable, "case", compact=compact)],
        "batches": [
            {
                "batchType": batch.type,
                "historyTimeToLive": batch.ttl,
                "finishedBatchesCount": batch.finished,
                "cleanableBatchesCount": batch.cleanable,
            }
            for batch in one.batches
            if batch.cleanable or not compact
        ],
        "withoutRemovalTime": [
            {"table": u.table, "cause": u.cause, "rows": u.rows, "estimated": u.estimated}
            for u in one.without_removal_time
        ],
        "orphans": [
            {"table": found.table, "cause": found.reason, "rows": found.rows}
            for found in one.orphans
            if found.rows or not compact
        ],
        "tables": [
            {
                "table": size.table,
                "rows": size.rows,
                "bytes": size.bytes,
                "expiredRows": size.expired,
                "estimated": size.estimated,
                "oldestExpired": format_instant(size.oldest, zone),
                "freedBytes": size.freed,
            }
            for size in one.sizes
            if size.expired or not compact
        ],
    }


def _kept(cleanable: Iterable[Cleanable], kind: str, *, compact: bool) -> list[Cleanable]:
    return [one for one in cleanable if one.definition.kind == kind and (one.cleanable or not compact)]


def _definition(one: Cleanable) -> dict[str, Any]:
    kind, definition = one.definition.kind, one.definition
    return {
        f"{kind}DefinitionId": definition.id,
        f"{kind}DefinitionKey": definition.key,
        f"{kind}DefinitionName": definition.name,
        f"{kind}DefinitionVersion": definition.version,
        "historyTimeToLive": one.ttl,
        f"finished{_NAMES[kind]}InstanceCount": one.finished,
        f"cleanable{_NAMES[kind]}InstanceCount": one.cleanable,
        "tenantId": definition.tenant,
        "definitionGone": definition.missing,
        "estimated": one.estimated,
    }


def _show(context: CliContext, one: FullReport, *, compact: bool) -> None:
    from cleanupctl.cli.views.history_report import show_report

    show_report(context.output, one, context.settings.timezone, compact=compact)
