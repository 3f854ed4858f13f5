"""MySQL and MariaDB as a history's database: the session, its transactions, and the clustered key."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.mysql_session import assignments
from cleanupctl.history.databases.costs import TypicalCosts
from cleanupctl.history.databases.database import IDLE_IN_TRANSACTION_SECONDS, IDLE_SECONDS, Claimant
from cleanupctl.history.databases.key_scans import KeysetDatabase, in_chunks
from cleanupctl.history.databases.mysql import catalogue, connection, features, health, privileges
from cleanupctl.history.databases.mysql.claims import claim_name
from cleanupctl.history.databases.mysql.errors import history_error
from cleanupctl.history.databases.mysql.replicas import ReplicaLag
from cleanupctl.history.databases.replicas import NoReplica
from cleanupctl.history.databases.statements import Delete, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from cleanupctl.core.mysql_connection import Connection
    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.databases.catalogue import Column, Table
    from cleanupctl.history.databases.conditions import Condition
    from cleanupctl.history.databases.diagnosis import Denied
    from cleanupctl.history.databases.findings import Finding
    from cleanupctl.history.databases.replicas import Lag
    from cleanupctl.history.databases.sizes import TableSize
    from cleanupctl.history.databases.statements import Statement
    from cleanupctl.history.databases.target import Target

LOCK_WAIT_SECONDS = 1
"""The shortest there is: others wait for the rows of our transaction meanwhile."""
STATEMENT_SECONDS = 60
ANSWER_SECONDS = 600
"""How long nothing may come from the server. Much longer than a statement should take: MySQL ends none by
itself, and what is given up here is given up with its connection."""

GALERA_ROWS = 1_000
"""A write set is certified as a whole, sent to every node and applied there: small ones fail less often, and
lose less when they do."""

_SERVER_SETTINGS = """
SHOW GLOBAL VARIABLES WHERE variable_name IN ('wsrep_on', 'wsrep_max_ws_rows', 'log_bin', 'binlog_format')
"""


def connect(url: DatabaseUrl) -> MySQL:
    """Connect as the URL says. Raise HistoryUnreachableError."""
    opened = connection.open_connection(url)
    database = MySQL(url, opened)
    opened.answer_within(ANSWER_SECONDS)
    return database


class MySQL(KeysetDatabase):
    """One session in READ COMMITTED: deletes lock the rows they delete and no gaps beside them."""

    # In a table that is not in memory yet, each row waits for a page of each of its indexes.
    start_rows = 500
    # InnoDB sees that the row is referenced, and not that it is by itself.
    deletes_self_referring = False
    typical_costs = TypicalCosts(row=8, index=2.5, reference=1)
    reads_older = True

    def __init__(self, url: DatabaseUrl, opened: Connection) -> None:
        self._url = url
        self._connection = opened
        self.link = opened.link
        # Not for the session: whoever counts may take longer. MySQL has no such limit for a DELETE.
        self._limited = ""
        own: dict[str, object] = {"max_execution_time": 0}
        version = str(opened.get_server_info())  # type: ignore[no-untyped-call] # its stubs
        self.passes_over_locked = features.passes_over_locked(version)
        if "MariaDB" in version:
            self._limited = f"SET STATEMENT max_statement_time = {STATEMENT_SECONDS} FOR "
            # Reading as of an earlier time would find what is gone.
            own = {"max_statement_time": 0, "system_versioning_asof": "DEFAULT"}
            own["idle_transaction_timeout"] = IDLE_IN_TRANSACTION_SECONDS
        self.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        settings = assignments(
            innodb_lock_wait_timeout=LOCK_WAIT_SECONDS,
            wait_timeout=IDLE_SECONDS,
            # `timestamp` columns hold instants: compare them in UTC whatever the server's own zone is.
            time_zone="'+00:00'",
            # Else rows that others point at would be deleted, and those that go along would be left.
            foreign_key_checks=1,
            **own,
        )
        self.query(f"SET {settings}")
        self._adapt(dict(self.query(_SERVER_SETTINGS)))

    def _adapt(self, server: dict[str, str]) -> None:
        """Do what some settings of the server ask for."""
        if server.get("wsrep_on") == "ON":
            # 0 is no limit.
            self.transaction_rows = min(GALERA_ROWS, int(server.get("wsrep_max_ws_rows", 0)) or GALERA_ROWS)
        if (server.get("log_bin"), server.get("binlog_format")) == ("ON", "STATEMENT"):
            # READ COMMITTED cannot be logged so. Without the privilege a check tells of it.
            with suppress(HistoryError):
                self.query("SET SESSION binlog_format = 'ROW'")

    @property
    def login(self) -> str:
        """Name of the login, for messages and grants."""
        return self._url.user or "the user of the URL"

    def close(self) -> None:
        """Disconnect; never raises."""
        with suppress(Exception):
            self._connection.close()
        self.link.close()

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """Let statements take as long as they take: whoever asks for an exact number wants it."""
        before = self._connection.answer_within(None)
        try:
            yield
        finally:
            self._connection.answer_within(before)

    def server_time(self) -> datetime:
        """Return what the server's clock says; of the session's time zone it knows nothing."""
        found: datetime = self.query("SELECT UTC_TIMESTAMP(6)")[0][0]
        return found.replace(tzinfo=UTC)

    def is_at_work(self) -> bool:
        """Look for the session in the server's list; True where a proxy hides which one it is."""
        return connection.is_at_work(self._url, self._connection)

    def cancel(self) -> None:
        """Kill the statement, not the session."""
        connection.cancel(self._url, self._connection)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement outside a transaction and return its rows."""
        with self.translated(), self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(parameters))
            return list(cursor.fetchall())

    def transact(self, statements: Sequence[Statement], most_rows: int) -> list[int] | None:
        """Raise HistoryError also where several statements could not be undone together."""
        if len(statements) > 1:
            for one in statements:
                features.require_transactional(one.table)
        return super().transact(statements, most_rows)

    def _in_transaction(self, work: Callable[[], bool]) -> bool:
        try:
            self._connection.begin()
            done = work()
            if done:
                self._connection.commit()
            else:
                self._connection.rollback()
        except BaseException:
            with suppress(Exception):
                self._connection.rollback()
            raise
        return done

    def _execute(self, statements: Sequence[Statement], most_rows: int) -> Iterator[int]:
        """Execute statements one after the other; yield the rows of each."""
        for statement in statements:
            if isinstance(statement, Delete) and self._chosen_first(statement):
                yield checked(statement, self._delete_by_keys(statement, most_rows))
            else:
                yield checked(statement, self._send(*self.written(statement)))

    def _send(self, sql: str, parameters: Sequence[Any]) -> int:
        """Send a statement of the open transaction; return how many rows it found or changed."""
        with self._connection.cursor() as cursor:
            return int(cursor.execute(f"{self._limited}{sql}", tuple(parameters)))

    def _chosen_first(self, delete: Delete) -> bool:
        """Whether rows are locked first and then deleted.

        No DELETE may ask the table it deletes from; and without transactions nothing is undone that turns out
        to be more than it may be.
        """
        as_of_then = any(guard.current is None for guard in delete.guards)
        locked = as_of_then or self._asks_itself(delete) or delete.limit is not None
        return locked or not features.transactional(delete.table)

    def _asks_itself(self, delete: Delete) -> bool:
        """Whether a guard reads the table that is deleted from."""
        own = self.qualified(delete.table)
        return any(own in guard.in_delete.sql for guard in delete.guards)

    def _delete_by_keys(self, delete: Delete, most_rows: int) -> int:
        """Lock the rows, then delete them by key; leave them when there are more than `most_rows`.

        A statement that waits for a row asks other tables as of its beginning: what was committed with that
        row is seen by the next one, when all rows are locked.
        """
        columns = self.address_of(delete.table)
        limit = most_rows + 1 if delete.limit is None else delete.limit
        keys = self._locked(delete, limit)
        if len(keys) > most_rows:
            return len(keys)
        rows = 0
        for some in in_chunks(keys):
            # Along another index it would wait for rows that were passed over.
            keyed = self.keys_condition(columns, some)
            again = Delete(delete.table, delete.where, keyed, delete.guards, along_key=True)
            if self._asks_itself(again):
                left = self._locked(again, None)
                if not left:
                    continue
                again = replace(again, within=self.keys_condition(columns, left), guards=())
            rows += self._send(*self.written(again))
        return rows

    def _locked(self, delete: Delete, limit: int | None) -> list[tuple[Any, ...]]:
        """Lock the rows of a Delete and return their addresses."""
        sql, parameters = self._select(delete, ", ".join(self.address_values(delete.table)), limit)
        return self.query(f"{self._limited}{sql}{self._lock_clause(delete)}", parameters)

    def _lock_clause(self, delete: Delete) -> str:
        return f" FOR UPDATE{' SKIP LOCKED' if delete.skip_locked else ''}"

    def _written_delete(self, delete: Delete) -> tuple[str, tuple[Any, ...]]:
        where = delete.selected
        rows = self.rows_of(delete.table, along_key=delete.along_key)
        return f"DELETE t FROM {rows} WHERE {where.sql}", where.parameters

    def key_values(self, table: Table) -> list[str]:
        """Read what is ordered and compared by a number as that number."""
        return features.as_read(table, self.key_columns(table))

    def key_has_ranges(self, table: Table) -> bool:
        """Return whether it does: of an ENUM or a SET it finds values only."""
        return features.key_has_ranges(table)

    def none_current(self, rows: str) -> str:
        """Lock what is read, which makes it the newest, and ask for each row anew.

        An EXISTS may be made a list of its rows before the first one is looked at, all of them locked.
        """
        return f"(SELECT 1 FROM {rows} LIMIT 1 LOCK IN SHARE MODE) IS NULL"

    def rows_of(self, table: Table, *, along_key: bool = False, only: bool = False) -> str:
        """Return the table with its alias; the planner would otherwise leave the key for the time index."""
        del only
        hint = f" FORCE INDEX ({self.quote(table.detail['key_index'])})" if along_key and table.key else ""
        return f"{self.qualified(table)} AS t{hint}"

    def quote(self, name: str) -> str:
        """Return an identifier as it is written in a statement."""
        return "`" + name.replace("`", "``") + "`"

    def place(self, name: str, schema: str | None = None) -> str:
        """Return the quoted name of a table with its database."""
        return f"{self.quote(schema or self._url.database)}.{self.quote(name)}"

    def find_tables(self, names: Sequence[str], schema: str | None = None) -> dict[str, Table]:
        """Return the tables that exist, looked up with a few queries in all."""
        return catalogue.find_tables(self, names, schema)

    def _instant_value(self, instant: datetime) -> datetime:
        """Return it without the zone, which is UTC in the session."""
        return instant.astimezone(UTC).replace(tzinfo=None)

    def stored_value(self, instant: datetime, column: Column, zone: ZoneInfo) -> Any:
        """Return an instant as a column with a time holds it, without what the server would round up."""
        written = instant.astimezone(UTC if column.kind == "instant" else zone)
        return written.replace(tzinfo=None, microsecond=0)

    def table_size(self, table: Table) -> TableSize:
        """Return rows by the statistics and bytes on disk with indexes."""
        return catalogue.table_size(self, table)

    def missing_privileges(self, table: Table) -> list[str]:
        """Return which of SELECT and DELETE the login does not have on a table."""
        return privileges.missing(self, table)

    def may_be_hidden(self, name: str, schema: str | None = None) -> bool:
        """Return whether the table is hidden for want of privileges: the catalogue shows what is granted."""
        return privileges.is_denied(self, f"SELECT 1 FROM {self.place(name, schema)} LIMIT 1")

    def denied(self, table: Table, columns: Sequence[str]) -> Iterator[Denied]:
        """Yield what keeps the login from reading a table or some of its columns."""
        return privileges.denied(self, table, columns)

    def hidden(self, name: str, schema: str | None, *, sure: bool) -> Denied:
        """Return why a table that may be hidden cannot be seen."""
        return privileges.hidden(self, name, schema, sure=sure)

    def grant_statement(self, wanted: Sequence[str], place: str) -> str:
        """Return the GRANT that gives the login privileges on a table."""
        return privileges.grant_statement(self, wanted, place)

    def read_only(self) -> Iterator[Finding]:
        """Find out whether the server takes no changes from this login."""
        return health.read_only(self)

    def storage(self, table: Table) -> Iterator[Finding]:
        """Find out whether the table's storage engine has transactions, and whether triggers are seen."""
        yield from health.storage(self, table)
        yield from health.unseen_triggers(self, table)

    def left_alone(self, table: Table) -> Iterator[Finding]:
        """Find versions of deleted rows that the server keeps, and rows that it never deletes."""
        yield from health.versions(self, table)
        yield from health.self_referring(self, table)

    def long_transactions(self, longer: timedelta) -> Iterator[Finding]:
        """Find transactions open for longer than that."""
        return health.long_transactions(self, longer)

    def replica_lag(self, replica: DatabaseUrl | None) -> Lag:
        """Measure the lag of the configured replica; the source does not know it."""
        return NoReplica() if replica is None else ReplicaLag(lambda: connect(replica))

    def named_rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run a statement whose columns differ between servers, and return its rows by column name."""
        with self.translated(), self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(parameters))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _planned_rows(self, target: Target, condition: Condition | None) -> int:
        where = f" WHERE {condition.sql}" if condition else ""
        explain = f"EXPLAIN SELECT 1 FROM {self.rows_of(target.table)}{where}"
        plan = self.named_rows(explain, condition.parameters if condition else ())
        return int(str(plan[0].get("rows") or 0).split()[0]) if plan else 0

    def estimate(self, target: Target) -> int | None:
        """Return the planner's guess, which InnoDB takes from the index itself."""
        return self._planned_rows(target, target.condition) if target.indexed else None

    def share(self, target: Target) -> float:
        """Return the share that has expired, by two guesses of the planner."""
        return self._planned_rows(target, target.condition) / max(1, self._planned_rows(target, None))

    def claim(self, table: Table, part: str = "") -> bool:
        """Take the user lock of the table or part, if it is free; it ends with the session at the latest."""
        return bool(self.query("SELECT GET_LOCK(%s, 0)", (self._claim_name(table, part),))[0][0])

    def release(self, table: Table, part: str = "") -> None:
        """Give the user lock back."""
        self.query("SELECT RELEASE_LOCK(%s)", (self._claim_name(table, part),))

    def claimant(self, table: Table, part: str = "") -> Claimant | None:
        """Ask who has the lock, whose name only such sessions know."""
        number = self.query("SELECT IS_USED_LOCK(%s)", (self._claim_name(table, part),))[0][0]
        own = number is None or number == self._connection.number
        return None if own else Claimant(f"connection {number}", ours=True, end=f"KILL {number}")

    def _claim_name(self, table: Table, part: str) -> str:
        return claim_name(self._url.password or "", f"{table.schema}.{table.name}{part and ' ' + part}")

    def translate(self, error: Exception) -> Exception:
        """Return the driver's error as one of ours: to retry, to skip, or to report."""
        return history_error(error, self._url)
