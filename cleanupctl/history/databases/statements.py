"""What a transaction does, as data: rows to delete, rows that must be there, values to set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.errors import ChangedError

if TYPE_CHECKING:
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.target import Target


EVERYWHERE = Condition("")
"""No condition at all."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete rows of one table; all conditions are about the row called `t`."""

    table: Table
    where: Condition
    """Which rows may be deleted; repeated where rows are chosen first and deleted then."""
    within: Condition = EVERYWHERE
    """Which part of the table is looked at."""
    guards: tuple[Condition, ...] = ()
    """What must hold as well; these may read the table itself."""
    exactly: int | None = None
    """How many rows it has to find; with another number nothing of the transaction is done."""
    limit: int | None = None
    """Delete this many of the rows at most, whichever they are."""
    skip_locked: bool = False
    """With a limit: pass over rows that other transactions hold, where the server can."""
    along_key: bool = False
    """Keep the server on the primary key, along which `within` is a range."""
    only: bool = False
    """Leave tables alone that inherit from this one."""

    @property
    def selected(self) -> Condition:
        """Everything that holds for the rows."""
        return both((self.within, self.where, *(guard.in_delete for guard in self.guards)))

    @property
    def repeated(self) -> Condition:
        """What has to hold still for rows that were chosen before."""
        return both((self.where, *(guard.in_delete for guard in self.guards)))

    def narrowed(self, condition: Condition) -> Delete:
        """Return the same for fewer rows: those for which `condition` holds as well."""
        return replace(self, guards=(*self.guards, condition))


@dataclass(frozen=True, slots=True)
class Check:
    """See that exactly so many rows meet a condition; otherwise nothing of the transaction is done."""

    table: Table
    where: Condition
    exactly: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """A column's new value: an expression that may use the row `t`, with its bound values."""

    column: str
    """As the catalogue has it."""
    value: Condition


@dataclass(frozen=True, slots=True)
class Update:
    """Set columns of the rows of one table that meet a condition about the row called `t`."""

    table: Table
    assignments: tuple[Assignment, ...]
    where: Condition


Statement = Delete | Check | Update


def delete_within(target: Target, within: Condition, *, along_key: bool = False) -> Delete:
    """Delete what is expired, and kept by no guard, in a part of a target."""
    return Delete(target.table, target.condition, within, target.guards, along_key=along_key, only=True)


def checked(statement: Statement, rows: int) -> int:
    """Return how many rows were deleted or changed by a statement that found `rows`.

    Raise ChangedError when it had to find another number.
    """
    if isinstance(statement, Update):
        return rows
    if statement.exactly is not None and rows != statement.exactly:
        raise ChangedError(f"{rows} rows were found instead of {statement.exactly}: they have changed")
    return rows if isinstance(statement, Delete) else 0
