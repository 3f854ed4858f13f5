"""How far PostgreSQL's standby servers are behind, as the primary server tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError

if TYPE_CHECKING:
    from cleanupctl.history.databases.database import Database

_STANDBYS = """
SELECT pg_catalog.count(*) FILTER (WHERE state IS NULL),
  COALESCE(pg_catalog.max(CASE WHEN replay_lsn >= pg_catalog.pg_current_wal_flush_lsn() THEN 0
                    WHEN state = 'streaming' THEN COALESCE(EXTRACT(EPOCH FROM replay_lag), 0)
                    WHEN state IN ('startup', 'catchup') THEN 'infinity' END), 0)::float8
FROM pg_catalog.pg_stat_replication
"""
"""While nothing is written the last lag stays for a while, though there is none any more. A standby that
still catches up does not tell its lag; a backup is no standby."""


class StandbyLag:
    """The lag of the slowest standby server, asked on the history's own connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seconds(self) -> float:
        """Return 0 without standby servers, infinity when one does not replicate. Raise HistoryError."""
        hidden, behind = self._database.query(_STANDBYS)[0]
        if hidden:
            raise HistoryError(
                "max_replica_lag is set, but this login may not see how far the standby servers are behind:"
                " GRANT pg_monitor to it"
            )
        return float(behind)

    def close(self) -> None:
        """Leave the connection to the session it belongs to."""
