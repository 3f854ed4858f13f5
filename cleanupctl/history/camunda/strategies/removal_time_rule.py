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
    running = "" if facts.include_unfinished else _running(facts)
    if facts.first_of_rows is not None and not running:
        own = "none" if instance.removal_time is None else "a later one"
        return Answer(
            facts.first_of_rows,
            f"the removal time on rows that belong to it: each row is deleted by its own, and that of the"
            f" instance has {own}; cleanupctl history set-removal-time --clear --hierarchical"
            f" {facts.root.id} keeps what there is still",
        )
    if instance.removal_time is None:
        return Answer(None, "the removal-time strategy, but there is no removal time", (_why_missing(facts),))
    rule = f"the removal time on its row: {_origin(facts, zone)}"
    obstacles = [running] if running else []
    if facts.undated_below and not running:
        obstacles.append(
            "rows that belong to it have no removal time, and a root instance is not deleted before them:"
            f" cleanupctl history set-removal-time --calculate --hierarchical {instance.id} gives them one"
        )
    return Answer(instance.removal_time, rule, tuple(obstacles))


def _running(facts: Facts) -> str:
    """Return what of its hierarchy still runs; empty when nothing does."""
    if facts.root.end is None:
        return f"{facts.who} is still running; history of running instances is kept"
    if facts.instance.end is None:
        return "it is still running; history of running instances is kept"
    if facts.tree_runs:
        return (
            "an instance of its hierarchy, or a case that belongs to it, has not ended; its history is kept"
        )
    return ""


def _why_missing(facts: Facts) -> str:
    instance, root = facts.instance, facts.root
    # What was evaluated in a process gets its removal time with that.
    of = root if root.kind == "process" else instance
    kind = "" if of.kind == "process" else f" --kind {of.kind}"
    repair = f"cleanupctl history set-removal-time{kind}"
    if facts.root_missing:
        return (
            f"its root instance is gone, and nobody has set a removal time: {repair} --absolute TIME"
            f" {instance.id} sets one"
        )
    if root.end is None:
        return f"{facts.who} is still running; the engine sets the removal time when it ends"
    whole = "" if of.kind == "batch" else " --hierarchical"
    first = f"{root.ttl_remedy}; then " if root.ttl is None and root.ttl_remedy else ""
    return (
        f"{facts.who} ended without one, mostly for want of a time to live ({root.ttl_source}): {first}"
        f"{repair} --calculate{whole} {of.id} sets one"
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
