"""Whether an instance is removed, when and by which rule, or what is in the way: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from cleanupctl.core import times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.windows.windows import BatchWindows, Window

InstanceKind = Literal["process", "decision", "case", "batch"]
Fate = Literal["due", "later", "kept"]


@dataclass(frozen=True, slots=True)
class Instance:
    """One row that is explained, or the one that governs it. Times are aware."""

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
    ttl_remedy: str = ""
    """What gives it a time to live when it has none."""


@dataclass(frozen=True, slots=True)
class Referenced:
    """Rows that go with an instance, but that a foreign key of another table still points at."""

    table: str
    by: str
    """The table with the foreign key."""
    rows: int
    fatal: bool
    """Whether that keeps the instance; otherwise the run leaves these rows only."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision is made from."""

    instance: Instance
    root: Instance
    """What governs it: the top of its hierarchy, or the case of a decision; itself when nothing does."""
    root_gone: bool
    """Whether the root's row is missing; `root` is then the instance itself."""
    strategy: str
    include_unfinished: bool
    by_root: bool
    """Whether the end-time strategy asks the root and not each instance."""
    tree_runs: bool = False
    """Whether an instance below the root still runs, though the root has ended."""
    has_removal_time: bool = True
    """Whether the instance's table has a column for it."""
    references: tuple[Referenced, ...] = ()
    decisions: int = 0
    """Decisions that were evaluated in it."""


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
    notes: tuple[str, ...] = ()
    """What is good to know, but keeps nothing."""


def decide(facts: Facts, now: datetime, windows: BatchWindows, zone: ZoneInfo) -> Decision:
    """Decide at `now` (aware); `zone` is that of the engine's wall clock."""
    if facts.strategy == "removal-time":
        expires, rule, obstacles = _by_removal_time(facts, zone)
    else:
        expires, rule, obstacles = _by_end_time(facts, zone)
    obstacles += [_referenced(one) for one in facts.references if one.fatal]
    if obstacles or expires is None:
        return Decision("kept", expires, None, rule, tuple(obstacles), tuple(_notes(facts)))
    earliest = max(expires, now)
    window = windows.current_or_next(earliest) if windows.configured else None
    notes = [*_notes(facts), *_closed(window, now, due=expires <= now)]
    return Decision("due" if expires <= now else "later", expires, window, rule, (), tuple(notes))


_Answer = tuple["datetime | None", str, list[str]]


def _by_removal_time(facts: Facts, zone: ZoneInfo) -> _Answer:
    instance, root = facts.instance, facts.root
    if instance.kind == "case":
        return (
            None,
            "the removal-time strategy, for which case instances have no column",
            ['case instances go under strategy = "end-time" only'],
        )
    if not facts.has_removal_time:
        return (
            None,
            "the removal-time strategy, for which this schema has no column",
            ['removal times came with version 7.10 of the engine: update it, or set strategy = "end-time"'],
        )
    if instance.removal_time is None:
        return None, "the removal-time strategy, but there is no removal time", [_why_unset(facts)]
    rule = f"the removal time on its row: {_origin(facts, zone)}"
    if root.end is None and not facts.include_unfinished:
        obstacle = f"{_who(facts)} is still running; history of running instances is kept"
        return instance.removal_time, rule, [obstacle]
    return instance.removal_time, rule, []


def _why_unset(facts: Facts) -> str:
    instance, root = facts.instance, facts.root
    kind = "" if instance.kind == "process" else f" --kind {instance.kind}"
    repair = f"cleanupctl history set-removal-time{kind}"
    if facts.root_gone:
        return (
            f"its root instance is gone, and nobody has set a removal time: {repair} --absolute TIME"
            f" {instance.id} sets one"
        )
    if root.end is None:
        return f"{_who(facts)} is still running; the engine sets the removal time when it ends"
    whole = "" if root is instance else " --hierarchical"
    first = f"{root.ttl_remedy}; then " if root.ttl is None and root.ttl_remedy else ""
    return (
        f"{_who(facts)} ended without one, mostly for want of a time to live ({root.ttl_source}): {first}"
        f"{repair} --calculate{whole} {instance.id} sets one"
    )


def _origin(facts: Facts, zone: ZoneInfo) -> str:
    """Find out how the engine came to the removal time that stands on the row."""
    root, removal = facts.root, facts.instance.removal_time
    for base, moment in (("end", root.end), ("start", root.start)):
        if moment is None or root.ttl is None:
            continue
        calculated = times.removal_time(moment, root.ttl, zone)
        if removal is not None and abs((calculated - removal).total_seconds()) < 1:
            return f"{_whose(facts)} {base} and {_days(root.ttl)} ({root.ttl_source})"
    return "set by hand, or with a time to live that is not that of today"


def _by_end_time(facts: Facts, zone: ZoneInfo) -> _Answer:
    if not facts.by_root:
        facts = replace(facts, root=facts.instance)
    root = facts.root
    if root.end is None:
        return None, "the end-time strategy", [f"{_who(facts)} is still running; running instances are kept"]
    if root.ttl is None:
        return (
            None,
            "the end-time strategy, but there is no time to live",
            [f"{_who(facts)} never expires: {root.ttl_source}; {root.ttl_remedy}"],
        )
    rule = f"{_whose(facts)} end and {_days(root.ttl)} ({root.ttl_source})"
    obstacles = []
    if facts.tree_runs:
        obstacles.append(
            f"{_who(facts)} has ended, but an instance below it still runs, and a hierarchy goes as a whole"
            " (include_unfinished = true removes it)"
        )
    return times.removal_time(root.end, root.ttl, zone), rule, obstacles


def _who(facts: Facts) -> str:
    return "it" if facts.root is facts.instance else f"its {_above(facts)} {facts.root.id}"


def _whose(facts: Facts) -> str:
    return "its" if facts.root is facts.instance else f"{_above(facts)} {facts.root.id}'s"


def _above(facts: Facts) -> str:
    if facts.root.kind == "process":
        return "root instance"
    return "case instance" if facts.root.kind == "case" else "root decision"


def _days(ttl: int) -> str:
    return f"P{ttl}D"


def _referenced(one: Referenced) -> str:
    rows = "1 row" if one.rows == 1 else f"{one.rows} rows"
    still = "is" if one.rows == 1 else "are"
    return (
        f"{rows} of {one.table} {still} referenced by a foreign key of {one.by}, and the database refuses to"
        f" delete what is: remove the rows of {one.by} first"
    )


def _notes(facts: Facts) -> Iterator[str]:
    for one in facts.references:
        if not one.fatal:
            yield (
                f"{one.rows} of its rows in {one.table} stay as long as a foreign key of {one.by} points at"
                " them"
            )
    if facts.strategy == "removal-time":
        return
    if not facts.by_root:
        yield 'hierarchy = "engine": each instance goes by its own end, decisions by their own definition'
    elif facts.decisions and facts.instance.kind in ("process", "case"):
        number = "1 decision" if facts.decisions == 1 else f"{facts.decisions} decisions"
        goes, its = ("goes", "its") if facts.decisions == 1 else ("go", "their")
        yield f"{number} that it evaluated {goes} with it, whatever {its} own time to live"
    elif facts.instance.kind == "decision" and facts.root is not facts.instance:
        yield f"it goes with its {_above(facts)} {facts.root.id}, whatever its own time to live"


def _closed(window: Window | None, now: datetime, *, due: bool) -> Iterator[str]:
    """Say that nothing happens yet, although it has expired."""
    if due and window is not None and window.start > now:
        yield (
            "the batch window is closed now; only a job that was scheduled as immediately due ignores that"
        )
