"""Whether an instance is removed, when and by which rule, or what is in the way: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cleanupctl.core import times

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.window import BatchWindows, Window

InstanceKind = Literal["process", "decision", "case", "batch"]
Fate = Literal["due", "later", "kept"]


@dataclass(frozen=True, slots=True)
class Instance:
    """One row that is explained, or the root that governs it. Times are aware."""

    kind: InstanceKind
    id: str
    definition: str | None
    """Key of the definition, or type of the batch operation."""
    start: datetime | None
    end: datetime | None
    """End, evaluation or close; None while it runs."""
    removal_time: datetime | None
    ttl: int | None
    """Days that count now."""
    ttl_source: str
    """Where the days come from, or why there are none."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision is made from."""

    instance: Instance
    root: Instance
    """Top of the hierarchy; the instance itself when it has none above it."""
    root_gone: bool
    """Whether the root's row is missing; `root` is then the instance itself."""
    strategy: str
    include_unfinished: bool
    by_root: bool
    """Whether the end-time strategy asks the root and not each instance."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer."""

    fate: Fate
    expires: datetime | None
    """When it expires or has expired; None when nothing says so."""
    window: Window | None
    """The batch window in which a scheduled run can remove it; None without any, or when it is kept."""
    rule: str
    obstacles: tuple[str, ...]
    """What keeps it, and what could be done."""


def decide(facts: Facts, now: datetime, windows: BatchWindows, zone: ZoneInfo) -> Decision:
    """Decide at `now` (aware); `zone` is that of the engine's wall clock."""
    if facts.strategy == "removal-time":
        expires, rule, obstacles = _by_removal_time(facts, zone)
    else:
        expires, rule, obstacles = _by_end_time(facts, zone)
    if obstacles or expires is None:
        return Decision("kept", expires, None, rule, tuple(obstacles))
    earliest = max(expires, now)
    window = windows.current_or_next(earliest) if windows.configured else None
    return Decision("due" if expires <= now else "later", expires, window, rule, ())


_Answer = tuple["datetime | None", str, list[str]]


def _by_removal_time(facts: Facts, zone: ZoneInfo) -> _Answer:
    instance, root = facts.instance, facts.root
    if instance.kind == "case":
        return (
            None,
            "the removal-time strategy, for which case instances have no column",
            ['case instances go under strategy = "end-time" only'],
        )
    if instance.removal_time is None:
        return None, "the removal-time strategy, but there is no removal time", [_why_unset(facts)]
    rule = f"the removal time on its row: {_origin(facts, zone)}"
    if root.end is None and not facts.include_unfinished:
        who = "it" if root is instance else f"its root instance {root.id}"
        return instance.removal_time, rule, [f"{who} is still running; history of running instances is kept"]
    return instance.removal_time, rule, []


def _why_unset(facts: Facts) -> str:
    instance, root = facts.instance, facts.root
    if facts.root_gone:
        return "its root instance is gone, and nobody has set a removal time: see set-removal-time"
    who = "it" if root is instance else f"its root instance {root.id}"
    if root.end is None:
        return f"{who} is still running; the engine sets the removal time when it ends"
    return (
        f"{who} ended without one, mostly for want of a time to live ({root.ttl_source}); set-removal-time"
        " gives it one"
    )


def _origin(facts: Facts, zone: ZoneInfo) -> str:
    """Find out how the engine came to the removal time that stands on the row."""
    root, removal = facts.root, facts.instance.removal_time
    for base, moment in (("end", root.end), ("start", root.start)):
        if moment is None or root.ttl is None:
            continue
        calculated = times.removal_time(moment, root.ttl, zone)
        if removal is not None and abs((calculated - removal).total_seconds()) < 1:
            whose = "its" if root is facts.instance else f"root {root.id}'s"
            return f"{whose} {base} and {_days(root.ttl)} ({root.ttl_source})"
    return "set by hand, or with a time to live that is not that of today"


def _by_end_time(facts: Facts, zone: ZoneInfo) -> _Answer:
    governing = facts.root if facts.by_root else facts.instance
    whose = "its" if governing is facts.instance else f"root {governing.id}'s"
    who = "it" if governing is facts.instance else f"its root instance {governing.id}"
    if governing.end is None:
        return None, "the end-time strategy", [f"{who} is still running; running instances are kept"]
    if governing.ttl is None:
        return (
            None,
            "the end-time strategy, but there is no time to live",
            [f"{governing.ttl_source}: cleanupctl history ttl set KEY P30D gives it one"],
        )
    expires = times.removal_time(governing.end, governing.ttl, zone)
    return expires, f"{whose} end and {_days(governing.ttl)} ({governing.ttl_source})", []


def _days(ttl: int) -> str:
    return f"P{ttl}D"
