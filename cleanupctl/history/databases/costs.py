"""What deleting a row typically costs: by database, indexes of the table, and foreign keys to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanupctl.history.databases.catalogue import Table


@dataclass(frozen=True, slots=True)
class TypicalCosts:
    """Microseconds on a small server; between tables of one database their proportions matter."""

    row: float
    index: float
    reference: float
    """To see that no row of another table points at the one that is deleted."""

    def seconds(self, table: Table) -> float:
        """Seconds that one row of a table takes."""
        return 1e-6 * (self.row + self.index * len(table.indexed) + self.reference * len(table.references))
