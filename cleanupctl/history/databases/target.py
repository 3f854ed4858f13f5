"""Which rows of one table may be deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.databases.conditions import Condition, both

if TYPE_CHECKING:
    from cleanupctl.history.databases.catalogue import Column, Table


@dataclass(frozen=True, slots=True)
class Target:
    """The rows of one table that may be deleted: those whose time column is not after the cutoff."""

    table: Table
    time_column: Column
    condition: Condition
    """Which rows have expired; every statement that deletes repeats it."""
    guards: tuple[Condition, ...] = ()
    """What holds besides for rows that may be deleted."""
    time_format: str | None = None
    """What the numbers of an integer column count, as configured."""
    part: str = ""
    """Which part of the table's rows these are, where others are a target of their own."""

    @property
    def label(self) -> str:
        """The table's name as the operator knows it."""
        return self.table.name

    @property
    def indexed(self) -> bool:
        """Whether an index leads with the time column."""
        return self.time_column.name in self.table.indexed

    @property
    def deletable(self) -> Condition:
        """Expired, and kept by no guard."""
        return both((self.condition, *self.guards))
