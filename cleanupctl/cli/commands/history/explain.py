"""`cleanupctl history explain`: whether an instance is removed, when, by which rule, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.history.camunda.explain.decision import Decision
    from cleanupctl.history.camunda.strategies.explained import Facts

DETAILS = """
ID is that of a process instance, a decision instance, a case instance or a batch operation. What was
called by another instance is explained through the root of its tree, which it goes with; under the end-time
strategy also a decision through the process or the case that evaluated it.

What is in the way is told: that it still runs, or its root, or an instance below it; that it has no removal
time or no time to live; that a foreign key of another table points at it. So is what keeps nothing, but may
surprise: a batch window that is closed, cleanup jobs that are not scheduled or have no retries left.

The JSON is an object: history, id, kind, definitionKey, startTime, endTime, removalTime, rootId, strategy,
hierarchy, historyTimeToLive (days that govern it, those of its root) and timeToLiveSource (a sentence), fate
(`due`, `later` or `kept`), expires (when it expires or has expired), batchWindowStartTime and
batchWindowEndTime (the window in which a scheduled run can remove it), rule (a sentence), obstacles and notes
(arrays of sentences: what is in the way, and what else is good to know).
"""
_FATES = {
    "due": "it has expired: the next run in the batch window removes it",
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
    from dataclasses import replace

    from cleanupctl.cli.commands.history.choice import engine_histories
    from cleanupctl.core.errors import CleanupctlError, NotFoundError
    from cleanupctl.history.camunda.explain.decision import decide
    from cleanupctl.history.camunda.explain.facts import load_facts

    settings = context.settings
    histories = engine_histories(context, history)
    failures: list[CleanupctlError] = []
    for one in histories:
        try:
            facts = load_facts(one, identity)
        except CleanupctlError as error:
            # It may be in another history.
            failures.append(error)
            continue
        if facts is None:
            continue
        decision = decide(facts, context.now(), settings.windows, one.timezone)
        if decision.fate == "due":
            decision = replace(decision, notes=(*decision.notes, *_jobs(context)))
        if context.output.json:
            context.output.data(_object(one.name, facts, decision, settings.timezone))
        else:
            context.output.fields(_fields(one.name, facts, decision, settings.timezone))
        return
    if failures:
        raise failures[0]
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
        "strategy": facts.strategy.name,
        "hierarchy": "root" if facts.by_root else "engine",
        "historyTimeToLive": facts.root.ttl,
        "timeToLiveSource": facts.root.ttl_source,
        "fate": decision.fate,
        "expires": format_instant(decision.expires, zone),
        "batchWindowStartTime": format_instant(window.start if window else None, zone),
        "batchWindowEndTime": format_instant(window.end if window else None, zone),
        "rule": decision.rule,
        "obstacles": list(decision.obstacles),
        "notes": list(decision.notes),
    }


def _jobs(context: Context) -> Iterator[str]:
    """Say what keeps every run from being due: nothing is removed then, whatever has expired."""
    from cleanupctl.core.errors import StoreError
    from cleanupctl.core.store import open_store

    if not context.settings.cleanup.enabled:
        yield "this node does not participate: cleanup.enabled is false"
    try:
        with open_store(context.settings.store, create=False) as store:
            jobs = store.jobs()
    except StoreError as error:
        yield f"whether a cleanup job is scheduled cannot be told: {error.message}"
        return
    if not jobs:
        yield "no cleanup job is scheduled, so nothing removes it: see `cleanupctl schedule`"
    elif all(job.suspended for job in jobs):
        yield "every cleanup job is suspended, so nothing removes it: see `cleanupctl jobs`"
    elif all(job.suspended or job.retries == 0 for job in jobs):
        yield "no cleanup job has retries left, so nothing removes it: see `cleanupctl jobs`"


def _fields(name: str, facts: Facts, decision: Decision, zone: ZoneInfo) -> list[tuple[str, Any]]:
    shown = _object(name, facts, decision, zone)
    root = facts.root
    window = (
        f"{shown['batchWindowStartTime']} to {shown['batchWindowEndTime']}"
        if decision.window
        else "none; `cleanupctl schedule` makes the jobs due at once"
    )
    governed = "itself" if root is facts.instance else f"{root.kind} {root.id}"
    if facts.root_missing:
        governed = "gone, so that it stands on its own"
    ttl = "none" if root.ttl is None else f"P{root.ttl}D"
    hierarchy = f', hierarchy = "{shown["hierarchy"]}"' if facts.strategy.by_instance else ""
    return [
        ("instance", f"{shown['kind']} {shown['id']} of {shown['definitionKey']} in history {name}"),
        ("answer", _FATES[decision.fate]),
        *(("in the way", obstacle) for obstacle in decision.obstacles),
        ("expires", shown["expires"]),
        *([] if decision.fate == "kept" else [("batch window", window)]),
        *(("note", note) for note in decision.notes),
        ("rule", decision.rule),
        ("strategy", f"{facts.strategy.name}{hierarchy}"),
        ("time to live", f"{ttl} ({root.ttl_source})"),
        ("governed by", governed),
        ("started", shown["startTime"]),
        ("ended", shown["endTime"] or "not yet"),
        *([] if root is facts.instance else [("root ended", _ended(root.end, zone))]),
        *([("removal time", shown["removalTime"])] if not facts.strategy.by_instance else []),
    ]


def _ended(end: datetime | None, zone: ZoneInfo) -> str:
    """Write when something ended, or that it has not."""
    from cleanupctl.core.times import format_instant

    return format_instant(end, zone) or "not yet"
