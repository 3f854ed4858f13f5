"""`cleanupctl history ttl`: the time to live of each definition, where it comes from, and changing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.context import Context
from cleanupctl.cli.views.history_report import drop_column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.strategies.ttl import EffectiveTtl

Kind = Literal["process", "decision", "case"]

DETAILS = """
Shown are the definitions of processes, decisions and cases, then the types of batch operations that are
configured or have been used, task metrics, and the job log entries of the engine's own cleanup.

The JSON is an array of objects: history, kind (`process`, `decision`, `case`, `batch`, `task-metrics` or
`cleanup-log`), id, key (of a batch its type), name, version, tenantId, historyTimeToLive (days, null for
none) and source: `definition` when the engine's HISTORY_TTL_ says so; `override` when [[history.ttl]],
batch_ttl, task_metrics_ttl or cleanup_log_ttl of the configuration does; `default` when default_ttl or
default of batch_ttl does; `none` when nothing does.

What the configuration says of definitions and batches counts under the end-time strategy, and for
`cleanupctl history set-removal-time --calculate`. Under the removal-time strategy the removal time on each
row counts, which the engine wrote by its own settings.
"""
SET_DETAILS = """
Writes HISTORY_TTL_ of the latest version of a definition, of all versions, or of one. Under the removal-time
strategy this concerns instances that end from now on, when the engine has read the definition anew; those
that have ended keep their removal time: `cleanupctl history set-removal-time --calculate` changes it.
Under the end-time strategy it concerns every finished instance at once: a shorter time to live makes the
next run remove more, so look with --dry-run first.

The change has an entry in the job log.

The JSON is an object: history, historyTimeToLive, dryRun and definitions, an array of objects with kind,
id, key, version, tenantId and previousHistoryTimeToLive.
"""


def show(
    context: Context,
    name: Annotated[
        str | None,
        typer.Option(
            "--history",
            metavar="NAME",
            help="Only this history; all of kind camunda otherwise.",
            autocompletion=history_names,
        ),
    ] = None,
) -> None:
    """Show the time to live of each definition, and where it comes from."""
    from cleanupctl.cli.commands.history.choice import engine_histories

    found = [(one, line) for one in engine_histories(context, name) for line in _lines(one)]
    if context.output.json:
        context.output.data([_object(one.name, line) for one, line in found])
        return
    rows = [
        (one.name, line.kind, line.key, line.version, line.tenant, in_words(line.ttl.days), _source(line))
        for one, line in found
    ]
    headings = ("HISTORY", "KIND", "KEY", "VERSION", "TENANT", "TTL", "FROM")
    if not any(line.tenant for _, line in found):
        headings, rows = drop_column(headings, 4), [drop_column(row, 4) for row in rows]
    if len({one.name for one, _ in found}) == 1:
        headings, rows = drop_column(headings, 0), [drop_column(row, 0) for row in rows]
    context.output.table(headings, rows, right=("VERSION",))
    for history in {one.name: one for one, line in found if _ineffective(one, line)}.values():
        context.output.notice(
            f"history {history.name}: under the removal-time strategy what its configuration says of"
            " definitions and batches counts for set-removal-time --calculate only; the engine writes removal"
            " times by its own settings"
        )


@dataclass(frozen=True, slots=True)
class _Line:
    kind: str
    key: str | None
    ttl: EffectiveTtl
    definition: Definition | None = None

    @property
    def version(self) -> int | None:
        return self.definition.version if self.definition else None

    @property
    def tenant(self) -> str | None:
        return self.definition.tenant if self.definition else None


def _lines(history: CamundaSettings) -> Iterator[_Line]:
    from cleanupctl.history.camunda.repair.ttls import definitions_and_batch_types
    from cleanupctl.history.camunda.strategies.ttl import (
        NONE,
        OVERRIDE,
        EffectiveTtl,
        batch_ttl,
        definition_ttl,
    )

    definitions, used = definitions_and_batch_types(history)
    for one in definitions:
        yield _Line(one.kind, one.key, definition_ttl(one, history), one)
    for type_ in sorted({*used, *history.batch_ttl.by_type}):
        yield _Line("batch", type_, batch_ttl(type_, history))
    for kind, days in (("task-metrics", history.task_metrics_ttl), ("cleanup-log", history.cleanup_log_ttl)):
        yield _Line(kind, None, EffectiveTtl(days, NONE if days is None else OVERRIDE))


def _source(line: _Line) -> str:
    """Name the column or the key of the configuration, as somebody would look for it."""
    if line.ttl.source == "none":
        return "nothing"
    if line.ttl.source == "definition":
        return "HISTORY_TTL_"
    default = line.ttl.source == "default"
    keys = {"batch": "batch_ttl", "task-metrics": "task_metrics_ttl", "cleanup-log": "cleanup_log_ttl"}
    if line.kind == "batch" and default:
        return "batch_ttl default"
    return keys.get(line.kind, "default_ttl" if default else "[[history.ttl]]")


def _ineffective(history: CamundaSettings, line: _Line) -> bool:
    engines = line.definition is not None or line.kind == "batch"
    if not engines or line.ttl.source not in ("override", "default"):
        return False
    from cleanupctl.history.camunda.strategies.registry import strategy_of

    return not strategy_of(history).by_instance


def _object(history: str, line: _Line) -> dict[str, Any]:
    one = line.definition
    return {
        "history": history,
        "kind": line.kind,
        "id": one.id if one else None,
        "key": line.key,
        "name": one.name if one else None,
        "version": line.version,
        "tenantId": line.tenant,
        "historyTimeToLive": line.ttl.days,
        "source": line.ttl.source,
    }


def in_words(ttl: int | None) -> str:
    """Write days as the engine takes them."""
    return "none" if ttl is None else f"P{ttl}D"


def set_(
    context: Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the definition.")],
    ttl: Annotated[str, typer.Argument(metavar="TTL", help="P30D or 30 days; none for no time to live.")],
    kind: Annotated[
        Kind | None, typer.Option(help="Only definitions of this kind; any that has the key otherwise.")
    ] = None,
    all_versions: Annotated[
        bool, typer.Option("--all-versions", help="Every version, not only the latest.")
    ] = False,
    version: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="This version, and not the latest.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this tenant's; everybody's otherwise.")
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The history, when several of kind camunda are configured.",
            autocompletion=history_names,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; change nothing.")
    ] = False,
) -> None:
    """Set or remove the time to live of a definition in the engine's database."""
    from cleanupctl.cli.commands.history.choice import one_engine_history
    from cleanupctl.cli.commands.history.maintenance import Operation
    from cleanupctl.core.errors import InvalidValueError, NotFoundError
    from cleanupctl.core.times import parse_ttl
    from cleanupctl.history.camunda.repair.ttls import TtlsPlanner, Wanted, meant_definitions

    if all_versions and version is not None:
        raise InvalidValueError("--all-versions and --version exclude each other")
    days = None if ttl == "none" else parse_ttl(_given(ttl))
    settings = one_engine_history(context, history)
    wanted = Wanted(key, days, kind, tenant, all_versions, version)
    meant = meant_definitions(settings, wanted)
    if not meant:
        raise NotFoundError(
            f"no {kind or 'process, decision or case'} definition has the key {key}"
            + (f" and the tenant {tenant}" if tenant else "")
            + (f" and the version {version}" if version else "")
            + f" in history {settings.name}"
        )
    if not dry_run and any(one.ttl != days for one in meant):
        operation = Operation(context, "ttl-set")
        operation.carry_out(settings, TtlsPlanner(settings, meant, days))
        operation.judge()
    if context.output.json:
        context.output.data(_changes(settings.name, days, meant, dry_run=dry_run))
        return
    context.output.table(
        ("KIND", "KEY", "VERSION", "TENANT", "BEFORE", "WOULD BE" if dry_run else "NOW"),
        ((d.kind, d.key, d.version, d.tenant, in_words(d.ttl), in_words(days)) for d in meant),
        right=("VERSION",),
    )
    if dry_run:
        context.output.notice("nothing was changed: this is a dry run")


def _given(ttl: str) -> str:
    """Refuse an empty text, which would mean no time to live."""
    from cleanupctl.core.errors import InvalidValueError

    if not ttl.strip():
        raise InvalidValueError("the time to live is empty: write P30D, or none to remove it")
    return ttl


def _changes(history: str, ttl: int | None, meant: list[Definition], *, dry_run: bool) -> dict[str, Any]:
    return {
        "history": history,
        "historyTimeToLive": ttl,
        "dryRun": dry_run,
        "definitions": [
            {
                "kind": one.kind,
                "id": one.id,
                "key": one.key,
                "version": one.version,
                "tenantId": one.tenant,
                "previousHistoryTimeToLive": one.ttl,
            }
            for one in meant
        ],
    }
