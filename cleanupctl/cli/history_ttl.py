"""`cleanupctl history ttl`: the time to live of each definition, where it comes from, and changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cleanupctl.cli.completion_values import history_names
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from cleanupctl.history.camunda.definitions import Definition
    from cleanupctl.history.camunda.ttl import EffectiveTtl

Kind = Literal["process", "decision", "case"]

DETAILS = """
The JSON is an array of objects: history, kind, id, key, name, version, tenantId, historyTimeToLive (days,
null for none) and source: `definition` when the engine's HISTORY_TTL_ says so, `override` and `default` when
[[history.ttl]] or default_ttl of the configuration does, `none` when nothing does. What the configuration
says counts under the end-time strategy. Under the removal-time strategy the removal time on each row counts,
which the engine writes by the definition.
"""
SET_DETAILS = """
Writes HISTORY_TTL_ of the latest version of a definition, or of all versions. Under the removal-time
strategy this concerns instances that end from now on, when the engine has read the definition anew; those
that have ended keep their removal time: `cleanupctl history set-removal-time --calculate` changes it.
Under the end-time strategy it concerns every finished instance at once: a shorter time to live makes the
next run remove more, so look with --dry-run first.

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
    from cleanupctl.cli.history_choice import engine_histories
    from cleanupctl.history.camunda.ttl import definition_ttl
    from cleanupctl.history.camunda.ttl_changes import all_definitions

    found = [
        (one.name, d, definition_ttl(d, one))
        for one in engine_histories(context, name)
        for d in all_definitions(one)
    ]
    if context.output.json:
        context.output.data([_object(*one) for one in found])
        return
    context.output.table(
        ("HISTORY", "KIND", "KEY", "VERSION", "TENANT", "TTL", "FROM"),
        (
            (
                history,
                one.kind,
                one.key,
                one.version,
                one.tenant,
                in_words(ttl.days),
                "nothing: its instances never expire" if ttl.source == "none" else ttl.source,
            )
            for history, one, ttl in found
        ),
        right=("VERSION",),
    )


def _object(history: str, one: Definition, ttl: EffectiveTtl) -> dict[str, Any]:
    return {
        "history": history,
        "kind": one.kind,
        "id": one.id,
        "key": one.key,
        "name": one.name,
        "version": one.version,
        "tenantId": one.tenant,
        "historyTimeToLive": ttl.days,
        "source": ttl.source,
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
    from cleanupctl.cli.history_choice import one_engine_history
    from cleanupctl.core.errors import NotFoundError
    from cleanupctl.core.times import parse_ttl
    from cleanupctl.history.camunda.ttl_changes import Wanted, set_times_to_live

    days = None if ttl == "none" else parse_ttl(_given(ttl))
    settings = one_engine_history(context, history)
    wanted = Wanted(key, days, kind, tenant, all_versions)
    meant = set_times_to_live(settings, wanted, dry_run=dry_run)
    if not meant:
        raise NotFoundError(
            f"no {kind or 'process, decision or case'} definition has the key {key}"
            + (f" and the tenant {tenant}" if tenant else "")
            + f" in history {settings.name}"
        )
    if context.output.json:
        context.output.data(_changes(settings.name, days, meant, dry_run=dry_run))
        return
    context.output.table(
        ("KIND", "KEY", "VERSION", "TENANT", "BEFORE", "WOULD BE" if dry_run else "NOW"),
        ((d.kind, d.key, d.version, d.tenant, in_words(d.ttl), in_words(days)) for d in meant),
        right=("VERSION",),
    )


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
