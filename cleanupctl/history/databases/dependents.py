"""Which foreign keys a delete reaches: they delete or change rows of other tables, or forbid it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.databases.catalogue import ForeignKey, Table

    Path = tuple[ForeignKey, ...]

ALLOW = 'cascade = "allow"'
"""What lets rows of other tables go along, in the configuration."""


@dataclass(slots=True)
class Along:
    """Rows of other tables that go along, by the table's name for people."""

    deleted: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All rows that are deleted or changed."""
        return self.deleted.total() + self.changed.total()

    def add(self, other: Along) -> None:
        """Take more rows in."""
        self.deleted.update(other.deleted)
        self.changed.update(other.changed)

    def plus(self, other: Along) -> Along:
        """Add up."""
        return Along(self.deleted + other.deleted, self.changed + other.changed)


def paths(table: Table) -> Iterator[Path]:
    """Yield every foreign key that a delete reaches with those that lead to it, nearest first."""
    level: list[Path] = [(key,) for key in table.references]
    while level:
        yield from level
        # None is passed twice: rows may refer to each other in a circle.
        level = [
            (*path, key)
            for path in level
            if path[-1].action == "cascade"
            for key in table.further.get(path[-1].table, ())
            if key not in path
        ]


def dependents(table: Table) -> list[ForeignKey]:
    """Return the foreign keys by which rows of others are deleted or changed, nearest first."""
    if all(key.action == "restrict" for key in table.references):
        return []
    return list(dict.fromkeys(path[-1] for path in paths(table) if path[-1].action != "restrict"))


def restricting(table: Table) -> Iterator[Path]:
    """Yield the foreign keys that keep rows: those that point at the table, and at rows that go along."""
    return (path for path in paths(table) if path[-1].action == "restrict")


def said(table: Table) -> str:
    """Say in words what goes along."""
    found = dependents(table)
    parts = []
    for action, verb, clause in (
        ("cascade", "deletes", "ON DELETE CASCADE"),
        ("set", "changes", "ON DELETE SET NULL or SET DEFAULT"),
    ):
        names = ", ".join(dict.fromkeys(key.name for key in found if key.action == action))
        if names:
            parts.append(f"{verb} rows of {names} ({clause})")
    return " and ".join(parts)
