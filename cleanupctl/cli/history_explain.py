"""`cleanupctl history explain`: whether an instance is removed, when, by which rule, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanupctl.cli.completion_values import history_names
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cleanupctl.history.camunda.explain import Decision, Facts

DETAILS = """
ID is that of a process instance, a decision instance, a case instance or a batch operation. What was
called by another instance is explained through the root of its tree, which it goes with.

The JSON is an object: history, id, kind, definitionKey, startTime, endTime, removalTime, rootId, strategy,
fate (`due`, `later` or `kept`), expires (when it expires or has expired), batchWindowStartTime and
batchWindowEndTime (the window in which a scheduled run can remove it), rule (a sentence) and obstacles (an
array of sentences: what is in the way).
"""
_FATES = {
    "due": "it has expired: the next run removes it",
    "later": "it will be removed",
    "kept": "it is kept",
}


def explain(
    context: Context,
    identity: Annotated[str, typer.Argument(metavar="ID", help="Id of the instance or batch.")],
    history: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Look in this history; in all of kind camunda otherwise.",
            autocompletion=history_names,
        ),
    ] = None,
) -> None:
    """Say whether an instance is removed, when and by which rule, or what is in the way."""
    from cleanupctl.cli.history_choice import engine_histories
    from cleanupctl.core.errors import NotFoundError
    from cleanupctl.history.camunda.explain import decide
    from cleanupctl.history.camunda.explain_loading import load_facts

    settings = context.settings
    histories = engine_histories(context, history)
    for one in histories:
        facts = load_facts(one, identity)
        if facts is None:
            continue
        decision = decide(facts, context.now(), settings.windows, one.timezone)
        if context.output.json:
            context.output.data(_object(one.name, facts, decision, settings.timezone))
        else:
            context.output.fields(_fields(one.name, facts, decision, settings.timezone))
        return
    names = ", ".join(one.name for one in histories) or "none"
    raise NotFoundError(
        f"no process, decision or case instance and no batch has the id {identity} in history {names}:"
        " mistyped, or removed already"
    )


def _object(name: str, facts: Facts, decision: Decision, zone: ZoneInfo) -> dict[str, Any]:
    from cleanupctl.core.times import format_instant

    instance, window = facts.instance, decision.window
    return {
        "history": name,
        "id": instance.id,
        "kind": instance.kind,
        "definitionKey": instance.definition,
        "startTime": format_instant(instance.start, zone),
        "endTime": format_instant(instance.end, zone),
        "removalTime": format_instant(instance.removal_time, zone),
        "rootId": facts.root.id if facts.root is not instance else None,
        "strategy": facts.strategy,
        "fate": decision.fate,
        "expires": format_instant(decision.expires, zone),
        "batchWindowStartTime": format_instant(window.start if window else None, zone),
        "batchWindowEndTime": format_instant(window.end if window else None, zone),
        "rule": decision.rule,
        "obstacles": list(decision.obstacles),
    }


def _fields(name: str, facts: Facts, decision: Decision, zone: ZoneInfo) -> list[tuple[str, Any]]:
    shown = _object(name, facts, decision, zone)
    window = (
        f"{shown['batchWindowStartTime']} to {shown['batchWindowEndTime']}"
        if decision.window
        else "none; `cleanupctl schedule` makes the jobs due at once"
    )
    return [
        ("instance", f"{shown['kind']} {shown['id']} of {shown['definitionKey']} in history {name}"),
        ("root", shown["rootId"] or "it is the top of its tree"),
        ("started", shown["startTime"]),
        ("ended", shown["endTime"] or "not yet"),
        ("answer", _FATES[decision.fate]),
        ("expires", shown["expires"]),
        ("rule", decision.rule),
        *([] if decision.fate == "kept" else [("batch window", window)]),
        *(("in the way", obstacle) for obstacle in decision.obstacles),
    ]
