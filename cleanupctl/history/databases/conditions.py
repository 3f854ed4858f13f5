"""Parts of statements with their bound values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cleanupctl.history.databases.errors import ChangedError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a WHERE clause about the row called `t`, with its bound values."""

    sql: str
    parameters: tuple[Any, ...] = ()
    wide: Condition | None = None
    """A cheap one that holds wherever this one does, and that an index answers by itself."""


class Statement(NamedTuple):
    """SQL and its bound values."""

    sql: str
    parameters: Sequence[Any] = ()
    exactly: int | None = None
    """How many rows it has to find; with another number nothing of the transaction is done."""
    deletes: bool = True
    """Whether the rows that it finds are gone then; a SELECT only checks."""

    def deleted(self, found: int) -> int:
        """Say how many rows went when it found so many. Raises ChangedError when it had to find others."""
        if self.exactly is not None and found != self.exactly:
            raise ChangedError(f"{found} rows were found instead of {self.exactly}: they have changed")
        return found if self.deletes else 0


def both(conditions: Sequence[Condition]) -> Condition:
    """Join conditions with AND; those without a text are left out."""
    sql = " AND ".join(condition.sql for condition in conditions if condition.sql)
    return Condition(sql, tuple(value for condition in conditions for value in condition.parameters))
