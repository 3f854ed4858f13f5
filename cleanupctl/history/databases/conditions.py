"""Parts of statements with their bound values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a WHERE clause about the row called `t`, with its bound values."""

    sql: str
    parameters: tuple[Any, ...] = ()
    wide: Condition | None = None
    """A cheap one that holds wherever this one does, and that an index answers by itself."""
    lower: Any = None
    """The smallest value of the time column for which it can hold, where it has a lower bound."""
    current: str | None = None
    """What a statement that deletes asks in its place: the same of what has been committed by then."""

    @property
    def in_delete(self) -> Condition:
        """Return it as a statement that deletes asks it."""
        return self if self.current is None else Condition(self.current, self.parameters)


def both(conditions: Sequence[Condition]) -> Condition:
    """Join conditions with AND; those without a text are left out."""
    sql = " AND ".join(condition.sql for condition in conditions if condition.sql)
    return Condition(sql, tuple(value for condition in conditions for value in condition.parameters))
