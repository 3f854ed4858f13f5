"""Why and when the removal-time strategy deletes an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core import times
from cleanupctl.history.camunda.strategies.explained import Answer, days

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cleanupctl.history.camunda.strategies.explained import Facts


def answer(facts: Facts, zone: ZoneInfo) -> Answer:
    """Return when the instance expires: by the removal time on its own row."""
    instance = facts.instance
    if instance.kind == "case":
        return Answer(
            None,
            "the removal-time strategy, for which case instances have no column",
            ('case instances go under strategy = "end-time" only',),
        )
    if not facts.has_removal_time:
        return Answer(
            None,
            "the removal-time strategy, for which this schema has no column",
            ('removal times came with version 7.10 of the engine: update it, or set strategy = "end-time"',),
        )
    if instance.removal_time is None:
        return Answer(None, "the removal-time strategy, but there is no removal time", (_why_missing(facts),))
    rule = f"the removal time on its row: {_origin(facts, zone)}"
    if facts.root.end is None and not facts.include_unfinished:
        obstacle = f"{facts.who} is still running; history of running instances is kept"
        return Answer(instance.removal_time, rule, (obstacle,))
    return Answer(instance.removal_time, rule)


def _why_missing(facts: Facts) -> str:
    instance, root = facts.instance, facts.root
    kind = "" if instance.kind == "process" else f" --kind {instance.kind}"
    repair = f"cleanupctl history set-removal-time{kind}"
    if facts.root_missing:
        return (
            f"its root instance is gone, and nobody has set a removal time: {repair} --absolute TIME"
            f" {instance.id} sets one"
        )
    if root.end is None:
        return f"{facts.who} is still running; the engine sets the removal time when it ends"
    whole = "" if root is instance else " --hierarchical"
    first = f"{root.ttl_remedy}; then " if root.ttl is None and root.ttl_remedy else ""
    return (
        f"{facts.who} ended without one, mostly for want of a time to live ({root.ttl_source}): {first}"
        f"{repair} --calculate{whole} {instance.id} sets one"
    )


def _origin(facts: Facts, zone: ZoneInfo) -> str:
    """Return how the engine came to the removal time that stands on the row."""
    root, removal = facts.root, facts.instance.removal_time
    for base, moment in (("end", root.end), ("start", root.start)):
        if moment is None or root.ttl is None:
            continue
        calculated = times.removal_time(moment, root.ttl, zone)
        if removal is not None and abs((calculated - removal).total_seconds()) < 1:
            return f"{facts.whose} {base} and {days(root.ttl)} ({root.ttl_source})"
    return "set by hand, or with a time to live that is not that of today"
