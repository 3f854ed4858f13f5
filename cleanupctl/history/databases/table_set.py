"""Some tables of one database, by the names under which something knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database


Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class TableSet:
    """The tables that this database has, by the names they are called by."""

    tables: dict[str, Table]
    database: Database
    _answers: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def has(self, name: str, column: str) -> bool:
        """Whether a table is there and has a column."""
        return name in self.tables and self.tables[name].has(column)

    def quoted(self, name: str) -> str:
        """Quoted name of a table, for a statement."""
        return self.database.qualified(self.tables[name])

    def column(self, name: str, column: str) -> str:
        """Quoted name of a table's column as the catalogue writes it."""
        return self.database.quote(self.tables[name].column(column).name)

    def once(self, question: Any, ask: Callable[[], Answer]) -> Answer:
        """Ask something about the rows that holds for as long as these tables are worked on: only once."""
        if question not in self._answers:
            self._answers[question] = ask()
        answer: Answer = self._answers[question]
        return answer
