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
    """A reference from a table to another one, and what deleting the referenced row does."""

    table: str
    """Quoted name of the referencing table."""
    columns: tuple[str, ...]
    referenced: tuple[str, ...]
    action: str
    """What a delete does to the referencing row: `restrict`, `cascade` or `set`."""
    name: str
    """The referencing table's name for people, with its schema: not for statements."""
    equals: tuple[str, ...] = ()
    """By column the operator that the key itself compares with, where one is not the server's own `=`."""
    own: bool = False
    """Whether a table refers to itself."""
    index: str | None = None
    """The statement that creates the index which leads to referencing rows; None when there is one."""
    hidden: bool = False
    """Whether the login may not read the referencing table."""
    detail: tuple[Any, ...] = ()
    """What only the database's own code needs: how it knows the referencing table."""


@dataclass(frozen=True, slots=True)
class Program:
    """A trigger or rule that runs when rows are deleted from a table."""

    name: str
    """What it is, and of which table, for people."""
    changes: tuple[str, ...] = ()
    """Tables of which it deletes or changes rows, as far as its text shows."""
    hidden: bool = False
    """Whether the login may not read its text."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the catalogue has it; only such names ever reach a statement."""

    schema: str | None
    name: str
    columns: Mapping[str, Column]
    """By exact name."""
    key: tuple[str, ...]
    """Primary key columns in order; an alias of the rowid in SQLite; empty when there is none."""
    indexed: frozenset[str] = frozenset()
    """Columns that are the first of some index."""
    references: tuple[ForeignKey, ...] = ()
    """The foreign keys that point at the table, its own included."""
    further: Mapping[str, tuple[ForeignKey, ...]] = field(default_factory=dict, hash=False)
    """Foreign keys that point at the tables of which rows go along, by quoted name: of any depth."""
    cascade: bool = False
    """Whether rows of other tables may go along, or change, when rows of this one are deleted."""
    refusal: str | None = None
    """Why no row may be deleted, whatever the policy: what comes after the table's name."""
    unseen: str | None = None
    """Why foreign keys may point at the table that cannot be seen, and what makes them visible."""
    programs: tuple[Program, ...] = ()
    """Triggers and rules that run when its rows are deleted, or rows that go along."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What only the database's own code needs (object id, engine, …)."""

    def has(self, name: str) -> bool:
        """Whether there is a column called `name`, by its exact name or else without regard to case."""
        return bool(self._called(name))

    def column(self, name: str) -> Column:
        """Return the column called `name`: an exact name wins, several spellings of it are refused.

        Raise HistoryError.
        """
        found = self._called(name)
        if not found:
            known = ", ".join(self.columns)
            raise HistoryError(f"table {self.name} has no column {name}; it has {known}")
        if len(found) > 1:
            among = ", ".join(column.name for column in found)
            raise HistoryError(
                f"column name {name} of table {self.name} is ambiguous: there are {among}; write it exactly"
            )
        return found[0]

    def _called(self, name: str) -> list[Column]:
        exact = self.columns.get(name)
        if exact is not None:
            return [exact]
        return [column for column in self.columns.values() if column.name.lower() == name.lower()]


def unfit_column(column: Column, table: Table) -> HistoryError:
    """Return the error that a column cannot tell how old a row is."""
    return HistoryError(
        f"column {column.name} of table {table.name} is of type {column.declared}, which is not a time:"
        " name a column with a date, a timestamp or an epoch number as time_column"
    )
