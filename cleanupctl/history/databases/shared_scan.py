"""Scanning one table chunk by chunk, by one worker or by several of one process at the same time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.history.databases.target import Target

Position = TypeVar("Position")


@dataclass(frozen=True, slots=True)
class Chunk(Generic[Position]):
    """A part of a table that one worker has taken: from `start` up to `end`."""

    start: Position
    end: Position
    again: bool = False
    """Whether it was passed once already, and rows were left that other sessions held."""


class SharedScan(Generic[Position]):
    """How far a table has been scanned; every worker takes the next chunk, and no two get the same."""

    def __init__(self, target: Target, start: Position, *, empty: bool = False) -> None:
        self.target = target
        """What is deleted meanwhile: all workers keep to the same conditions."""
        self.units = 0
        """How many units the batches took lately, for a worker that joins."""
        self.passed_over = False
        """Whether rows stay that other sessions held when their turn came."""
        self._lock = threading.Lock()
        self._position = start
        self._exhausted = empty
        self._returned: list[Chunk[Position]] = []
        self._postponed: list[Chunk[Position]] = []
        self._taken = 0
        self._abandoned = False

    def take(self, cut: Callable[[Position], tuple[Position, bool]]) -> Chunk[Position] | None:
        """Return the next chunk, or one that was released, or postponed; None when there is none at present.

        `cut` says where a chunk that starts at a position ends, and whether it is the last of the table.
        """
        with self._lock:
            if self._returned:
                chunk = self._returned.pop()
            elif self._exhausted:
                if not self._postponed:
                    return None
                chunk = self._postponed.pop()
            else:
                end, self._exhausted = cut(self._position)
                chunk = Chunk(self._position, end)
                self._position = end
            self._taken += 1
            return chunk

    def complete(self, rest: Chunk[Position] | None = None) -> None:
        """Complete a chunk; what is left of it can be taken by any worker."""
        with self._lock:
            self._taken -= 1
            if rest is not None and not self._abandoned:
                self._returned.append(rest)

    def postpone(self, chunk: Chunk[Position]) -> bool:
        """Leave rows that other sessions hold to the end of the scan; False when that is now.

        Then they are passed over: a later run finds them.
        """
        with self._lock:
            if chunk.again:
                self.passed_over = True
                return False
            if not self._abandoned:
                self._postponed.append(replace(chunk, again=True))
            return True

    def abandon(self) -> None:
        """Hand out no other chunk, nor one that is released from now on."""
        with self._lock:
            self._abandoned = self._exhausted = True
            self.passed_over = self.passed_over or bool(self._postponed)
            self._returned.clear()
            self._postponed.clear()

    @property
    def spent(self) -> bool:
        """Whether there is nothing to take, at least at present."""
        with self._lock:
            return self._spent

    @property
    def finished(self) -> bool:
        """Whether every chunk has been completed."""
        with self._lock:
            return self._spent and not self._taken

    @property
    def _spent(self) -> bool:
        return self._exhausted and not (self._returned or self._postponed)
