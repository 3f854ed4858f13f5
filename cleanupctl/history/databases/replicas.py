"""How far the replicas of a history are behind: asked between batches, never inside one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError

if TYPE_CHECKING:
    from cleanupctl.core.settings import HistorySettings
    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.mysql.database import MySQL

NOT_REPLICATING = math.inf

_STANDBYS = """
SELECT count(*) FILTER (WHERE state IS NULL),
  COALESCE(max(CASE WHEN replay_lsn >= pg_catalog.pg_current_wal_flush_lsn() THEN 0
                    WHEN state = 'streaming' THEN COALESCE(EXTRACT(EPOCH FROM replay_lag), 0)
                    WHEN state IN ('startup', 'catchup') THEN 'infinity' END), 0)::float8
FROM pg_catalog.pg_stat_replication
"""
"""While nothing is written the last lag stays for a while, though there is none any more. A standby that
still catches up does not tell its lag; a backup is no standby."""

_STATUS = ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS")
"""The statement of today, and that of MySQL before 8.0.22 and MariaDB before 10.5."""
_BEHIND = ("Seconds_Behind_Source", "Seconds_Behind_Master")


class Lag(Protocol):
    """Knows how far the slowest replica is behind."""

    def seconds(self) -> float:
        """Return 0 without replicas, infinity when one does not replicate. Raises HistoryError."""

    def close(self) -> None:
        """Disconnect what it connected itself."""


def lag_of(settings: HistorySettings, database: Database) -> Lag:
    """Choose how the lag of a history's replicas is measured; connects to nothing yet."""
    if settings.replica_url is not None:
        return ReplicaLag(settings.replica_url)
    return StandbyLag(database) if settings.url.scheme == "postgresql" else NoReplica()


class NoReplica:
    """A history of which no replica is known."""

    def seconds(self) -> float:
        """Nobody is behind."""
        return 0.0

    def close(self) -> None:
        """Nothing to disconnect."""


class StandbyLag:
    """PostgreSQL tells how far its standbys are behind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seconds(self) -> float:
        """Ask the primary server, on the history's own connection."""
        hidden, behind = self._database.query(_STANDBYS)[0]
        if hidden:
            raise HistoryError(
                "max_replica_lag is set, but this login may not see how far the standby servers are behind:"
                " GRANT pg_monitor to it"
            )
        return float(behind)

    def close(self) -> None:
        """Leave the connection to the session it belongs to."""


class ReplicaLag:
    """A MySQL or MariaDB replica tells how far it is behind."""

    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url
        self._replica: MySQL | None = None

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
        from cleanupctl.history.databases.mysql import database as mysql

        if self._replica is None:
            self._replica = mysql.connect(self._url)
        try:
            return self._replica.named_rows(_STATUS[0])
        except HistoryUnreachableError:
            raise
        except HistoryError:
            return self._replica.named_rows(_STATUS[1])
