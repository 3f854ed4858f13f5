"""Where batches come from: one pass over some rows, each batch a transaction of its own."""

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
    """Nothing is left to take."""
    overflow: bool = False
    """The transaction would have deleted more than allowed and was rolled back."""
    idle: bool = False
    """Nothing was done: other workers have the rest, or what was looked at may not be deleted."""
    looked_at: int | None = None
    """Units that it looked at, where it was cut short of what it was asked for."""
    taken: int | None = None
    """Units that it took on, where there can be more or fewer than it was asked for."""
    passed_over: bool = False
    """Rows stay that other sessions held, where no shared scan comes back to them."""
    seconds: float | None = None
    """How long it took, where choosing the units is no part of that."""
    parts: tuple[tuple[str, int], ...] = ()
    """Tables and their rows, when it deleted from several; together they are `rows`."""
    changed: tuple[tuple[str, int], ...] = ()
    """Tables and their rows that were changed along with it."""
    rest: BatchSource | None = None
    """What has to be worked through first: a unit that is too big for one transaction."""


class BatchSource(Protocol):
    """One pass over some rows, in batches."""

    access_path: str
    """How the rows are found, for people: `index`, `sweep`, …"""
    start_units: int
    most_units: int
    shared: SharedScan[Any] | None
    """What other workers can take part in; None when only one can work on the rows."""

    @property
    def position(self) -> object:
        """Where the pass is: another value after each batch with which it got on without deleting rows."""

    def run(self, units: int, most_rows: int) -> Batch:
        """Take on `units` (rows, blocks, hierarchies), delete at most `most_rows` rows, and commit.

        Raise LockConflictError when others are in the way, ForeignKeyError when another table needs one
        of the rows; the same units are taken on again then.
        """

    def release(self) -> None:
        """Give back what was taken of a shared scan and not finished."""


Scan = BatchSource
"""A pass over the rows of a single table."""
