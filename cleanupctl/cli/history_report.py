"""`cleanupctl history report`: what is cleanable, what never will be, and how much room it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanupctl.cli.completion_values import history_names
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from cleanupctl.cli.context import Context as CliContext
    from cleanupctl.history.camunda.full_report import FullReport
    from cleanupctl.history.camunda.report import Cleanable

DETAILS = """
For histories of kind camunda. The first part is the engine's own cleanable report: for each definition the
finished instances and those that may go now. Then come rows without a removal time by table and cause, rows
that belong to nothing (orphans), and the size of each table with what the removal would free for new rows.

Small tables are counted. Of tables with more than 200,000 rows the numbers are estimated from the
database's statistics, and orphans are not looked for; --exact counts everything, which reads whole tables.

The JSON is an array of objects, one for each history: history, strategy, exact, processes, decisions,
cases, batches, withoutRemovalTime, orphans and tables. The entries of processes have the keys of the
engine's REST API: processDefinitionId, processDefinitionKey, processDefinitionName,
processDefinitionVersion, historyTimeToLive, finishedProcessInstanceCount, cleanableProcessInstanceCount
and tenantId; those of decisions and cases likewise (decisionDefinitionId and so on); those of batches
have batchType, historyTimeToLive, finishedBatchesCount and cleanableBatchesCount. definitionGone says that
the engine has the definition no more; estimated that the numbers beside it are.
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
    from cleanupctl.cli.history_choice import engine_histories
    from cleanupctl.history.camunda.full_report import full_report

    reports = [
        full_report(settings, context.now(), exact=exact) for settings in engine_histories(context, name)
    ]
    if context.output.json:
        context.output.data([_object(one, context.settings.timezone, compact=compact) for one in reports])
        return
    for one in reports:
        _show(context, one, compact=compact)


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
            {"table": u.table, "cause": u.cause, "rows": u.rows, "estimated": u.estimated} for u in one.unset
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
        "definitionGone": definition.gone,
        "estimated": one.estimated,
    }


def _show(context: CliContext, one: FullReport, *, compact: bool) -> None:
    output, zone = context.output, context.settings.timezone
    shown = _object(one, zone, compact=compact)
    exactness = "every row counted" if one.exact else "~ marks estimates from the statistics; --exact counts"
    output.text(f"{one.history} ({one.strategy}; {exactness})")
    rows = []
    for kind in _NAMES:
        for found in _kept(one.cleanable, kind, compact=compact):
            definition, mark = found.definition, "~" if found.estimated else ""
            ttl = "none" if found.ttl is None else f"P{found.ttl}D"
            rows.append((
                kind, definition.key or definition.id, "gone" if definition.gone else definition.version,
                definition.tenant, ttl, f"{mark}{found.finished:,}", f"{mark}{found.cleanable:,}",
            ))  # fmt: skip
    rows += [
        ("batch", batch["batchType"], None, None, "none" if batch["historyTimeToLive"] is None else
         f"P{batch['historyTimeToLive']}D", f"{batch['finishedBatchesCount']:,}",
         f"{batch['cleanableBatchesCount']:,}")
        for batch in shown["batches"]
    ]  # fmt: skip
    if rows:
        output.table(
            ("KIND", "KEY", "VERSION", "TENANT", "TTL", "FINISHED", "CLEANABLE"),
            rows,
            right=("VERSION", "FINISHED", "CLEANABLE"),
        )
    if shown["withoutRemovalTime"] and one.strategy == "removal-time":
        output.table(
            ("WITHOUT REMOVAL TIME", "CAUSE", "ROWS"),
            ((u["table"], u["cause"], f"{'~' if u['estimated'] else ''}{u['rows']:,}")
             for u in shown["withoutRemovalTime"]),
            right=("ROWS",),
        )  # fmt: skip
    found_orphans = [found for found in shown["orphans"] if found["rows"] != 0]
    if found_orphans:
        output.table(
            ("ORPHANS", "CAUSE", "ROWS"),
            ((f["table"], f["cause"], "not counted" if f["rows"] is None else f"{f['rows']:,}")
             for f in found_orphans),
            right=("ROWS",),
        )  # fmt: skip
    output.table(
        ("TABLE", "ROWS", "SIZE", "EXPIRED", "OLDEST EXPIRED", "WOULD BE FREED"),
        (
            (
                t["table"], f"~{t['rows']:,}", _size(t["bytes"]),
                None if t["expiredRows"] is None else f"{'~' if t['estimated'] else ''}{t['expiredRows']:,}",
                t["oldestExpired"], None if t["freedBytes"] is None else f"~{_size(t['freedBytes'])}",
            )
            for t in shown["tables"]
        ),
        right=("ROWS", "SIZE", "EXPIRED", "WOULD BE FREED"),
    )  # fmt: skip


def _size(number: int) -> str:
    size = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
