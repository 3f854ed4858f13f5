"""`cleanupctl history report`: what is cleanable, what never will be, and how much room it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
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
    from cleanupctl.cli.views.history_report import report_object, show_report
    from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
    from cleanupctl.history.camunda.report.report import full_report

    zone = context.settings.timezone
    reports: list[FullReport] = []
    failures: list[HistoryError | HistoryUnreachableError] = []
    for settings in engine_histories(context, name):
        try:
            reports.append(full_report(settings, context.now(), exact=exact))
        except (HistoryError, HistoryUnreachableError) as error:
            failures.append(error)
            continue
        if not context.output.json:
            show_report(context.output, reports[-1], zone, compact=compact)
    if context.output.json and (reports or not failures):
        context.output.data([report_object(one, zone, compact=compact) for one in reports])
    for failure in failures[1:]:
        context.output.notice(failure.message)
    if failures:
        raise failures[0]
