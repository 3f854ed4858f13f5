"""`cleanupctl history explain`: whether an instance is removed, when, by which rule, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cleanupctl.cli.completion.values import history_names
from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    from cleanupctl.cli.views.history_explain import show_decision
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
        show_decision(context.output, one.name, facts, decision, settings.timezone)
        return
    if failures:
        raise failures[0]
    names = ", ".join(one.name for one in histories) or "none"
    raise NotFoundError(
        f"no process, decision or case instance and no batch has the id {identity} in history {names}:"
        " mistyped, or removed already"
    )


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
