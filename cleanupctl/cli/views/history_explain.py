"""Why an instance is or is not removed, and when: as JSON, and as fields for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.cli.output import Output
    from cleanupctl.history.camunda.explain.decision import Decision
    from cleanupctl.history.camunda.strategies.explained import Facts

_FATES = {
    "due": "it has expired: the next run in the batch window removes it",
    "later": "it will be removed",
    "kept": "it is kept",
}


def show_decision(output: Output, name: str, facts: Facts, decision: Decision, zone: ZoneInfo) -> None:
    """Write what becomes of an instance of the history `name`."""
    if output.json:
        output.data(decision_object(name, facts, decision, zone))
    else:
        output.fields(_fields(name, facts, decision, zone))


def decision_object(name: str, facts: Facts, decision: Decision, zone: ZoneInfo) -> dict[str, Any]:
    """Return the facts about an instance and what they decide."""
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


def _fields(name: str, facts: Facts, decision: Decision, zone: ZoneInfo) -> list[tuple[str, Any]]:
    shown = decision_object(name, facts, decision, zone)
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
    return format_instant(end, zone) or "not yet"
