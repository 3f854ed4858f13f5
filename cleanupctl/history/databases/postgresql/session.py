"""The settings of a PostgreSQL session: for its whole length, or behind a pooler for each transaction."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from cleanupctl.core.postgresql_session import FIXED_PATH, fix_search_path
from cleanupctl.history.databases.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from cleanupctl.core.postgresql_connection import Connection

_NO_STANDBY = "SELECT pg_catalog.current_setting('synchronous_standby_names') OPERATOR(pg_catalog.=) ''"
"""Where standby servers have to confirm commits, waiting for them keeps cleanup from outrunning them."""
_LOCK = "SELECT pg_catalog.pg_advisory_xact_lock"

POOLED = Finding(
    "warning",
    None,
    "a connection pooler such as PgBouncer stands between cleanupctl and the server: every question is a"
    " transaction of its own, three round trips instead of one; several processes take turns on a table,"
    " batch by batch, instead of sharing the tables out; sessions left behind are the pooler's to end",
    "name the server itself in url of the history, if it can be reached",
)


class Session:
    """One connection, and what holds on it.

    A pooler gives the server's session to others after each transaction: a setting that outlived it would
    be theirs, and a lock nobody's.
    """

    def __init__(
        self, connection: Connection, settings: Mapping[str, str], lasting: Mapping[str, str]
    ) -> None:
        """Begin; `lasting` settings mean nothing for a single transaction. Raise the driver's errors."""
        self.connection = connection
        start = fix_search_path(connection)
        self.schemas, self.pooled = start.schemas, start.pooled
        self._settings = dict(settings)
        row = connection.execute(_NO_STANDBY).fetchone()
        if row is not None and row[0]:
            self._settings["synchronous_commit"] = "off"
        if self.pooled:
            self._settings["search_path"] = FIXED_PATH
        else:
            both = self._settings | dict(lasting)
            connection.execute("; ".join(f"SET {name} = {value}" for name, value in both.items()))

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.connection.info.transaction_status.name != "IDLE"

    def query(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Execute a statement, behind a pooler in a transaction of its own unless one is open."""
        alone = self.pooled and not self.in_transaction
        with self._begun(()) if alone else nullcontext():
            return self.connection.execute(sql, parameters).fetchall()

    def transaction(self, locks: set[tuple[int, int]]) -> AbstractContextManager[Any]:
        """Commit what the block does, or undo it when it raises; hold `locks` if they cannot last longer."""
        return self._begun(sorted(locks)) if self.pooled else self.connection.transaction()

    @contextmanager
    def _begun(self, locks: Any) -> Iterator[None]:
        """Begin with all settings in one message: it takes no longer than to begin without them."""
        begin = ["BEGIN ISOLATION LEVEL READ COMMITTED"]
        begin += [f"SET LOCAL {name} = {value}" for name, value in self._settings.items()]
        begin += [f"{_LOCK}({space}, {key})" for space, key in locks]
        try:
            self.connection.execute("; ".join(begin))
            yield
        except BaseException:
            with suppress(Exception):
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def limit(self, seconds: float) -> None:
        """Have the server end later statements after so long; 0 is no limit. Raise the driver's errors."""
        self._settings["statement_timeout"] = f"'{seconds}s'"
        if self.in_transaction or not self.pooled:
            where = "LOCAL " if self.pooled else ""
            self.connection.execute(f"SET {where}statement_timeout = '{seconds}s'")
