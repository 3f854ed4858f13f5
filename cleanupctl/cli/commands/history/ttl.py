"""`cleanupctl history ttl`: the time to live of each definition, where it comes from, and changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.cli.views.history_ttls import TtlLine
    from cleanupctl.core.settings import CamundaSettings

Kind = Literal["process", "decision", "case"]

DETAILS = """
Shown are the definitions of processes, decisions and cases, then the types of batch operations that are
configured or have been used, task metrics, the job log entries of the engine's own cleanup, and history that
belongs to no instance.

The JSON is an array of objects: history, kind (`process`, `decision`, `case`, `batch`, `task-metrics`,
`cleanup-log` or `without-instance`), id, key (of a batch its type; of history without an instance the key in
without_instance_ttl), name, version, tenantId, historyTimeToLive (days, null for none) and source:
`definition` when the engine's HISTORY_TTL_ says so; `override` when [[history.ttl]], batch_ttl,
task_metrics_ttl, cleanup_log_ttl or without_instance_ttl of the configuration does; `default` when
default_ttl or default of batch_ttl does; `none` when nothing does.

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
    from cleanupctl.cli.views.history_ttls import show_ttls

    found = [(one, line) for one in engine_histories(context, name) for line in _lines(one)]
    show_ttls(context.output, found)


def _lines(history: CamundaSettings) -> Iterator[TtlLine]:
    """Yield definitions, types of batch operations, and what has a time to live of its own."""
    from cleanupctl.cli.views.history_ttls import TtlLine
    from cleanupctl.history.camunda.repair.ttls import definitions_and_batch_types
    from cleanupctl.history.camunda.strategies.ttl import (
        NONE,
        OVERRIDE,
        EffectiveTtl,
        batch_ttl,
        definition_ttl,
    )
    from cleanupctl.history.camunda.strategies.without_instance import KINDS

    definitions, used = definitions_and_batch_types(history)
    for one in definitions:
        yield TtlLine(one.kind, one.key, definition_ttl(one, history), one)
    for type_ in sorted({*used, *history.batch_ttl.by_type}):
        yield TtlLine("batch", type_, batch_ttl(type_, history))
    for kind, days in (("task-metrics", history.task_metrics_ttl), ("cleanup-log", history.cleanup_log_ttl)):
        yield TtlLine(kind, None, EffectiveTtl(days, NONE if days is None else OVERRIDE))
    for of in KINDS:
        days = getattr(history.without_instance_ttl, of.setting)
        source = NONE if days is None else OVERRIDE
        yield TtlLine("without-instance", of.setting, EffectiveTtl(days, source))


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
    from cleanupctl.cli.views.history_ttls import show_ttl_change
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
    show_ttl_change(context.output, settings.name, days, meant, dry_run=dry_run)


def _given(ttl: str) -> str:
    """Refuse an empty text, which would mean no time to live."""
    from cleanupctl.core.errors import InvalidValueError

    if not ttl.strip():
        raise InvalidValueError("the time to live is empty: write P30D, or none to remove it")
    return ttl
