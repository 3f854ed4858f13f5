"""Why and when the end-time strategy deletes an instance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.core import times
from cleanupctl.history.camunda.strategies.explained import Answer, days

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from cleanupctl.history.camunda.strategies.explained import Facts


def answer(facts: Facts, zone: ZoneInfo) -> Answer:
    """Return when the instance expires: by the end and the time to live of what governs it."""
    if not facts.by_root:
        facts = replace(facts, root=facts.instance)
    root = facts.root
    if root.end is None:
        obstacle = f"{facts.who} is still running; running instances are kept"
        return Answer(None, "the end-time strategy", (obstacle,))
    if root.ttl is None:
        return Answer(
            None,
            "the end-time strategy, but there is no time to live",
            (f"{facts.who} never expires: {root.ttl_source}; {root.ttl_remedy}",),
        )
    rule = f"{facts.whose} end and {days(root.ttl)} ({root.ttl_source})"
    obstacles: tuple[str, ...] = ()
    if facts.tree_runs:
        obstacles = (
            f"{facts.who} has ended, but an instance below it still runs, and a hierarchy goes as a whole"
            " (include_unfinished = true removes it)",
        )
    if facts.kept_below:
        obstacles = (
            *obstacles,
            f'something below {facts.whom} is of a definition with ttl = "none" in the configuration, and a'
            " hierarchy is deleted as a whole: take that away, or give it days",
        )
    return Answer(times.removal_time(root.end, root.ttl, zone), rule, obstacles)


def notes(facts: Facts) -> Iterator[str]:
    """Yield what is deleted along with the instance, or what it is deleted along with."""
    if not facts.by_root:
        yield 'hierarchy = "engine": each instance goes by its own end, decisions by their own definition'
    elif facts.decisions and facts.instance.kind in ("process", "case"):
        number = "1 decision" if facts.decisions == 1 else f"{facts.decisions} decisions"
        goes, its = ("goes", "its") if facts.decisions == 1 else ("go", "their")
        yield f"{number} that it evaluated {goes} with it, whatever {its} own time to live"
    elif facts.instance.kind == "decision" and facts.root is not facts.instance:
        yield f"it goes with its {facts.above} {facts.root.id}, whatever its own time to live"
