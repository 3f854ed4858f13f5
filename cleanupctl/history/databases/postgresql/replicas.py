"""How far PostgreSQL's standby servers are behind, as the primary server tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.replicas import NOT_REPLICATING

if TYPE_CHECKING:
    from cleanupctl.history.databases.database import Database

_STANDBYS = """
SELECT pg_catalog.count(*) FILTER (WHERE state IS NULL),
  pg_catalog.count(*) FILTER (WHERE state = 'streaming'),
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots
   WHERE NOT active AND NOT temporary AND restart_lsn IS NOT NULL),
  COALESCE(pg_catalog.max(CASE WHEN replay_lsn >= pg_catalog.pg_current_wal_flush_lsn() THEN 0
                    WHEN state = 'streaming' THEN COALESCE(EXTRACT(EPOCH FROM replay_lag), 0)
                    WHEN state IN ('startup', 'catchup') THEN 'infinity' END), 0)::float8
FROM pg_catalog.pg_stat_replication
"""
"""While nothing is written the last lag stays for a while, though there is none any more. A standby that
still catches up does not tell its lag; a backup is no standby. One that is away is known by its slot: that of
one that was never there keeps nothing."""


class StandbyLag:
    """The lag of the slowest standby server, asked on the history's own connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._most = 0
        """Standby servers that have been there at the same time."""

    def seconds(self) -> float:
        """Return 0 without standby servers, infinity when one does not replicate or is away.

        Raise HistoryError where this login may not see how far they are behind.
        """
        hidden, streaming, away, behind = self._database.query(_STANDBYS)[0]
        if hidden:
            raise HistoryError(
                "max_replica_lag is set, but this login may not see how far the standby servers are behind:"
                " GRANT pg_monitor to it"
            )
        self._most = max(self._most, streaming)
        return NOT_REPLICATING if away or streaming < self._most else float(behind)

    def close(self) -> None:
        """Leave the connection to the session it belongs to."""
