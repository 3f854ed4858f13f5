"""One pass over the rows of a target, in batches, each a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from cleanupctl.history.databases.shared_scan import SharedScan


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did."""

    rows: int
    done: bool = False
    overflow: bool = False
    """The transaction would have deleted more than allowed and was rolled back."""
    idle: bool = False
    """There was nothing to take: other workers have the rest."""
    looked_at: int | None = None
    """Units that it looked at, where those can be fewer than it was asked for."""


class Scan(Protocol):
    """One pass over a target, in batches."""

    access_path: str
    """`index` or `sweep`."""
    start_units: int
    most_units: int
    shared: SharedScan[Any] | None
    """What other workers can take part in; None when only one can work on the target."""

    def run(self, units: int, most_rows: int) -> Batch:
        """Look at `units` (rows or blocks), delete at most `most_rows` of them, and commit."""

    def release(self) -> None:
        """Give back what was taken of the walk and not finished."""
