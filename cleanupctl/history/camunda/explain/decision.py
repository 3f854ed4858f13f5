"""Whether an instance is removed, when and by which rule, or what it is blocked by: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cleanupctl.core.times import LATEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.windows.windows import BatchWindows, Window
    from cleanupctl.history.camunda.strategies.explained import Facts, Referenced

Fate = Literal["due", "later", "kept"]


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
    expires, rule, found = facts.strategy.answer(facts, zone)
    obstacles = [*found, *(_referenced(one) for one in facts.references if one.fatal)]
    if obstacles or expires is None:
        return Decision("kept", expires, None, rule, tuple(obstacles), tuple(_notes(facts)))
    earliest = max(expires, now)
    window = windows.current_or_next(earliest) if windows.configured and earliest <= LATEST else None
    notes = [*_notes(facts), *_closed(window, now, due=expires <= now)]
    return Decision("due" if expires <= now else "later", expires, window, rule, (), tuple(notes))


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
    yield from facts.strategy.notes(facts)


def _closed(window: Window | None, now: datetime, *, due: bool) -> Iterator[str]:
    """Yield that nothing happens yet, although it has expired."""
    if due and window is not None and window.start > now:
        yield (
            "the batch window is closed now; only a job that was scheduled as immediately due ignores that"
        )
