"""How far the replicas of a history are behind: asked between batches, never inside one."""

from __future__ import annotations

import math
from typing import Protocol

NOT_REPLICATING = math.inf


class Lag(Protocol):
    """Measures how far the slowest replica is behind."""

    def seconds(self) -> float:
        """Return 0 without replicas, infinity when one does not replicate. Raise HistoryError."""

    def close(self) -> None:
        """Disconnect what it connected itself."""


class NoReplica:
    """A history of which no replica is known."""

    def seconds(self) -> float:
        """Return 0: there is nothing to wait for."""
        return 0.0

    def close(self) -> None:
        """Nothing to disconnect."""
