"""What is known of an instance that is explained, and what a strategy says of it: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

InstanceKind = Literal["process", "decision", "case", "batch"]


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
    """Rows that are deleted with an instance, but that a foreign key of another table still points at."""

    table: str
    by: str
    """The table with the foreign key."""
    rows: int
    fatal: bool
    """Whether that keeps the instance; otherwise the run leaves these rows only."""


class Answer(NamedTuple):
    """What a strategy says of an instance."""

    expires: datetime | None
    """When it expires or has expired (aware); None when nothing says so."""
    rule: str
    obstacles: tuple[str, ...] = ()
    """What keeps it, and what could be done."""


class Rule(Protocol):
    """What explains an instance: the strategy by which it is deleted."""

    @property
    def name(self) -> str:
        """As in the configuration."""

    @property
    def by_instance(self) -> bool:
        """Whether whole instances are deleted, and not each row by the removal time on it."""

    def answer(self, facts: Facts, zone: ZoneInfo) -> Answer:
        """Return when an instance expires and why; `zone` is that of the engine's wall clock."""

    def notes(self, facts: Facts) -> Iterator[str]:
        """Yield what is good to know of the rule, but keeps nothing."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision is made from."""

    instance: Instance
    root: Instance
    """What governs it: the top of its hierarchy, or the case of a decision; itself when nothing does."""
    root_missing: bool
    """Whether the root's row is missing; `root` is then the instance itself."""
    strategy: Rule
    include_unfinished: bool
    by_root: bool
    """Whether the end-time strategy asks the root and not each instance."""
    tree_runs: bool = False
    """Whether an instance below the root still runs, though the root has ended."""
    undated_below: bool = False
    """Whether rows without a removal time keep it, which belong to it."""
    kept_below: bool = False
    """Whether something below the root is of a definition that the configuration keeps for ever."""
    first_of_rows: datetime | None = None
    """The first removal time of rows that belong to it, where that is before its own (aware)."""
    has_removal_time: bool = True
    """Whether the instance's table has a column for it."""
    references: tuple[Referenced, ...] = ()
    decisions: int = 0
    """Decisions that were evaluated in it."""

    @property
    def who(self) -> str:
        """Return the name of what governs the instance."""
        return "it" if self.root is self.instance else f"its {self.above} {self.root.id}"

    @property
    def whom(self) -> str:
        """Return the name of what governs the instance, as an object."""
        return "it" if self.root is self.instance else f"{self.above} {self.root.id}"

    @property
    def whose(self) -> str:
        """Return the name of what governs the instance, as the owner of something."""
        return "its" if self.root is self.instance else f"{self.above} {self.root.id}'s"

    @property
    def above(self) -> str:
        """Return what the root is to the instance."""
        if self.root.kind == "process":
            return "root instance"
        return "case instance" if self.root.kind == "case" else "root decision"


def days(ttl: int) -> str:
    """Return a time to live as it is configured."""
    return f"P{ttl}D"
