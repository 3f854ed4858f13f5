"""Tables, columns and foreign keys as the database's catalogue has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the catalogue has it."""

    name: str
    kind: str
    """`wall` (date and time without zone), `instant`, `date`, `integer`, `text` or `other`."""
    declared: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference from another table that forbids deleting the referenced row."""

    table: str
    """Quoted name of the referencing table."""
    columns: tuple[str, ...]
    referenced: tuple[str, ...]
    action: str
    """What a delete does to the referencing row: `restrict`, `cascade` or `set`."""
    name: str
    """The referencing table's name for people, with its schema: not for statements."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the catalogue has it; only such names ever reach a statement."""

    schema: str | None
    name: str
    columns: Mapping[str, Column]
    """By lower-case name."""
    key: tuple[str, ...]
    """Primary key columns in order; `rowid` for SQLite's rowid tables; empty when there is none."""
    indexed: frozenset[str] = frozenset()
    """Columns that are the first of some index."""
    references: tuple[ForeignKey, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What only the database's own code needs (object id, engine, …)."""

    def column(self, name: str) -> Column:
        """Return the column called `name`, case-insensitively. Raise HistoryError."""
        found = self.columns.get(name.lower())
        if found is None:
            known = ", ".join(column.name for column in self.columns.values())
            raise HistoryError(f"table {self.name} has no column {name}; it has {known}")
        return found


def unfit_column(column: Column, table: Table) -> HistoryError:
    """Return the error that a column cannot tell how old a row is."""
    return HistoryError(
        f"column {column.name} of table {table.name} is of type {column.declared}, which is not a time:"
        " name a column with a date, a timestamp or an epoch number as time_column"
    )
