"""Whether a pass gets anywhere: one that neither deletes rows nor moves on would never end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError

if TYPE_CHECKING:
    from cleanupctl.history.databases.scan import Batch

MOST_FRUITLESS = 10
"""Batches in a row that may do nothing and leave the pass where it is."""


class Progress:
    """Follows one pass; every batch of it is noted."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._before: object = None
        self._fruitless = 0

    def note(self, batch: Batch, position: object, units: int) -> None:
        """Note a batch of so many `units`, and where the pass is after it.

        Raise HistoryError when the pass gets no further. A batch that was too much for one transaction has
        fewer units the next time; only where it cannot have fewer is it in vain.
        """
        touched = batch.rows or batch.changed or batch.rest is not None
        smaller = batch.overflow and units > 1
        if touched or smaller or batch.done or position != self._before:
            self._fruitless = 0
        else:
            self._fruitless += 1
        self._before = position
        if self._fruitless >= MOST_FRUITLESS:
            raise HistoryError(
                f"cleaning {self._label} gets no further: {MOST_FRUITLESS} batches in a row deleted nothing,"
                " though rows have expired. See whether a trigger or a rule keeps them from being deleted;"
                " the other tables go on"
            )
