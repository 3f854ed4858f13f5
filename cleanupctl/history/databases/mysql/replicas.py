"""How far a MySQL or MariaDB replica is behind, as it tells itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.databases.replicas import NOT_REPLICATING

if TYPE_CHECKING:
    from collections.abc import Callable

_STATUS = ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS")
"""The statement of today, and that of MySQL before 8.0.22 and MariaDB before 10.5."""
_BEHIND = ("Seconds_Behind_Source", "Seconds_Behind_Master")


class Replica(Protocol):
    """A session on the replica."""

    def named_rows(self, sql: str) -> list[dict[str, Any]]:
        """Run a statement and return its rows by column name."""

    def close(self) -> None:
        """Disconnect."""


class ReplicaLag:
    """The lag of one replica, on a connection of its own that is opened when it is first asked."""

    def __init__(self, connect: Callable[[], Replica]) -> None:
        self._connect = connect
        self._replica: Replica | None = None

    def seconds(self) -> float:
        """Ask the replica; one that does not answer counts as not replicating."""
        known_before = self._replica is not None
        try:
            sources = self._status()
        except HistoryUnreachableError:
            self.close()
            # The replica may have ended a connection that was not used for a while.
            return self.seconds() if known_before else NOT_REPLICATING
        behind = [next((row[name] for name in _BEHIND if name in row), None) for row in sources]
        known = [NOT_REPLICATING if seconds is None else float(seconds) for seconds in behind]
        return max(known, default=NOT_REPLICATING)

    def close(self) -> None:
        """Disconnect from the replica."""
        if self._replica is not None:
            self._replica.close()
        self._replica = None

    def _status(self) -> list[dict[str, Any]]:
        if self._replica is None:
            self._replica = self._connect()
        try:
            return self._replica.named_rows(_STATUS[0])
        except HistoryUnreachableError:
            raise
        except HistoryError:
            return self._replica.named_rows(_STATUS[1])
