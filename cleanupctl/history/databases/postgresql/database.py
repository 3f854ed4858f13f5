"""PostgreSQL as a history's database: the session, its transactions, and the choice of a scan."""

from __future__ import annotations

import zlib
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from cleanupctl.history.databases.answering import CANCEL_SECONDS
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.costs import TypicalCosts
from cleanupctl.history.databases.database import (
    COUNT_BOUND,
    DENSE_SHARE,
    IDLE_IN_TRANSACTION_SECONDS,
    IDLE_SECONDS,
    Claimant,
    Database,
)
from cleanupctl.history.databases.postgresql import catalogue, connection, health, privileges
from cleanupctl.history.databases.postgresql.errors import history_error
from cleanupctl.history.databases.postgresql.replicas import StandbyLag
from cleanupctl.history.databases.postgresql.scans import SharedHeapScan, TidRangeScan, TimeIndexScan
from cleanupctl.history.databases.postgresql.session import POOLED, Session
from cleanupctl.history.databases.postgresql.statistics import (
    Statistics,
    planned_rows,
    statistics,
    table_size,
)
from cleanupctl.history.databases.shared_scan import SharedScan
from cleanupctl.history.databases.statements import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from psycopg import Cursor

    from cleanupctl.core.postgresql_connection import Connection
    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.databases.catalogue import Column, Table
    from cleanupctl.history.databases.diagnosis import Denied
    from cleanupctl.history.databases.findings import Finding
    from cleanupctl.history.databases.replicas import Lag
    from cleanupctl.history.databases.scan import Scan
    from cleanupctl.history.databases.sizes import TableSize
    from cleanupctl.history.databases.statements import Delete, Statement
    from cleanupctl.history.databases.target import Target

LOCK_TIMEOUT = "500ms"
"""Others wait for the rows of our transaction meanwhile. Shorter than a server's deadlock_timeout (1s): then
it is always this session that gives way, and never a live transaction that is undone."""
STATEMENT_SECONDS = 60
ANSWER_SECONDS = STATEMENT_SECONDS + 30
"""How long nothing may come from the server, which should have ended the statement before."""
CLAIM_SPACE = zlib.crc32(b"cleanupctl") & 0x7FFFFFFF
"""First half of the advisory locks by which workers share tables out among themselves."""

ORDERED = 0.9
"""From this correlation on, the time index leads to the rows almost in the order in which they lie."""
ORDERED_SHARE = 0.6
"""Share of expired rows from which scanning the heap pays even then: it reads the other rows for nothing."""

ADDRESS = "t.ctid"
"""Where a row lies, which every table knows."""

IDLE_TIMEOUT_SINCE = 140000
TID_RANGES_SINCE = 140000
"""Server version from which a range of blocks is read without reading the whole table."""

_CLAIMANT = """
SELECT l.pid, coalesce(a.usename::text, '?'), coalesce(a.application_name, ''),
  coalesce(a.usename = current_user
           AND a.application_name = pg_catalog.current_setting('application_name'), false)
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted AND l.classid = %s::oid AND l.objid = %s::oid
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND l.pid <> pg_catalog.pg_backend_pid()
"""
_WAIT_FOR_DISK = "SET LOCAL synchronous_commit = on"


def connect(url: DatabaseUrl) -> PostgreSQL:
    """Connect as the URL says. Raise HistoryUnreachableError."""
    opened = connection.open_connection(url)
    database = PostgreSQL(url, opened)
    opened.answer_seconds = ANSWER_SECONDS
    return database


class PostgreSQL(Database):
    """One session; every statement outside `transact` commits by itself.

    Commits do not wait for the disk: a crash of the server can bring the last batches back, in the order
    in which they went, and the next run deletes them again. `close` waits for all of them at once.
    """

    index_option = "CONCURRENTLY "
    plans_each_look_up = True
    passes_over_locked = True
    # Only after so many is it known whether they deleted more than they may.
    pipelined = 8
    # Deleting leaves indexes alone; a foreign key costs a query for each row.
    typical_costs = TypicalCosts(row=2.2, index=0, reference=10)

    def __init__(self, url: DatabaseUrl, opened: Connection) -> None:
        from psycopg import IsolationLevel

        self._url = url
        self._connection = opened
        self.link = opened.link
        self._unflushed = False
        self._lockable: dict[int, bool] = {}
        self._planned: tuple[Target, int | None] | None = None
        # Whatever the database's default is: a row that changed is looked at again, not refused.
        opened.isolation_level = IsolationLevel.READ_COMMITTED
        with self.translated():
            self._session = Session(
                opened,
                {
                    "lock_timeout": f"'{LOCK_TIMEOUT}'",
                    "statement_timeout": f"'{STATEMENT_SECONDS}s'",
                    # Rows that a policy hides would count as absent: the server is to refuse the statement.
                    "row_security": "off",
                    # Costs of subqueries that are never run would have each batch compiled.
                    "jit": "off",
                    "idle_in_transaction_session_timeout": f"'{IDLE_IN_TRANSACTION_SECONDS}s'",
                },
                {"idle_session_timeout": f"'{IDLE_SECONDS}s'"}
                if opened.info.server_version >= IDLE_TIMEOUT_SINCE
                else {},
            )
        self._claimed: set[tuple[int, int]] = set()
        """Claims that cannot last for the session: each transaction has to take them."""

    @property
    def login(self) -> str:
        """Name of the login, for messages and grants."""
        return self._url.user or "the user of the URL"

    def close(self) -> None:
        """Wait until the disk has what was deleted, and disconnect; never raises."""
        if not self.broken_off:
            with suppress(Exception):
                self._flush()
        with suppress(Exception):
            self._connection.close()
        self.link.close()

    def _flush(self) -> None:
        if self._unflushed:
            with self._session.transaction(set()):
                self._connection.execute(_WAIT_FOR_DISK)
                self._connection.execute("SELECT pg_catalog.pg_logical_emit_message(true, 'cleanupctl', '')")
            self._unflushed = False

    def query(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Run a statement outside a transaction and return its rows."""
        with self.translated():
            return self._session.query(sql, parameters)

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """Let statements take as long as they take: whoever asks for an exact number wants it."""
        self._session.limit(0)
        self._connection.answer_seconds = None
        try:
            yield
        finally:
            self._connection.answer_seconds = ANSWER_SECONDS
            # In a transaction that failed the setting comes back with it.
            with suppress(Exception):
                self._session.limit(STATEMENT_SECONDS)

    def server_time(self) -> datetime:
        """Return what the server's clock says."""
        found: datetime = self.query("SELECT pg_catalog.clock_timestamp()")[0][0]
        return found

    def is_at_work(self) -> bool:
        """Look for the session in the server's list; True where a pooler hides which one it is."""
        return connection.is_at_work(self._url, self._connection)

    def cancel(self) -> None:
        """Ask the server to end the statement."""
        from psycopg import capabilities

        # The older way has no time-out.
        if capabilities.has_cancel_safe():
            self._connection.cancel_safe(timeout=CANCEL_SECONDS)

    def _in_transaction(self, work: Callable[[], bool]) -> bool:
        from psycopg import Rollback

        # A connection that breaks in the rollback lets Rollback out; the next statement says what broke it.
        with suppress(Rollback), self._session.transaction(self._claimed):
            if not work():
                raise Rollback
            return True
        return False

    def _execute(self, statements: Sequence[Statement], most_rows: int) -> Iterator[int]:
        """Execute statements, with one round trip where the client can; yield the rows of each."""
        del most_rows
        from psycopg import Pipeline

        together = len(statements) > 1 and Pipeline.is_supported()
        with self._connection.pipeline() if together else nullcontext():
            cursors = [self._send(*self.written(one)) for one in statements]
        for statement, cursor in zip(statements, cursors, strict=True):
            self._unflushed = self._unflushed or cursor.rowcount > 0
            yield checked(statement, cursor.rowcount)

    def _send(self, sql: str, parameters: Sequence[Any]) -> Cursor[Any]:
        """Send a statement of the open transaction."""
        return self._connection.execute(sql, parameters)

    def _written_delete(self, delete: Delete) -> tuple[str, tuple[Any, ...]]:
        rows = self.rows_of(delete.table, only=delete.only)
        if delete.limit is None:
            where = delete.selected
            return f"DELETE FROM {rows} WHERE {where.sql}", where.parameters
        where, again, place = delete.selected, delete.repeated, self.address_of(delete.table)
        lock = self._passing_over(delete)
        doomed = f"SELECT {', '.join(place)} FROM {rows} WHERE {where.sql} LIMIT %s{lock}"
        among = f"({', '.join(place)}) IN (SELECT * FROM doomed)"
        if place == [ADDRESS]:
            among = f"{ADDRESS} = ANY(ARRAY(SELECT ctid FROM doomed))"
        # Repeats the condition: a row may have changed between being found and being deleted.
        sql = f"WITH doomed AS MATERIALIZED ({doomed}) DELETE FROM {rows} WHERE {among} AND {again.sql}"
        return sql, (*where.parameters, delete.limit, *again.parameters)

    def _passing_over(self, delete: Delete) -> str:
        # Without the right to lock, rows that others hold are waited for instead, as long as for any lock.
        return super()._passing_over(delete) if self._may_lock(delete.table) else ""

    def _may_lock(self, table: Table) -> bool:
        oid = table.detail["oid"]
        if oid not in self._lockable:
            self._lockable[oid] = privileges.may_lock(self, table)
        return self._lockable[oid]

    def _has_addresses(self, table: Table) -> bool:
        return not table.detail["partitioned"] or bool(table.key)

    def _lock_clause(self, delete: Delete) -> str:
        return f" FOR UPDATE OF t{' SKIP LOCKED' if delete.skip_locked else ''}"

    def rows_of(self, table: Table, *, along_key: bool = False, only: bool = False) -> str:
        """Return the table with its alias, without tables that inherit from it; the planner needs no hint."""
        del along_key
        return f"{'ONLY ' if only or not table.detail['partitioned'] else ''}{self.qualified(table)} AS t"

    def address_of(self, table: Table) -> list[str]:
        """Return where a row lies; in a partitioned table, whose partitions lie apart, its key."""
        return super().address_of(table) if table.detail["partitioned"] else [ADDRESS]

    def keys_condition(self, columns: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> Condition:
        """Bind all addresses as one array."""
        if columns == [ADDRESS]:
            return Condition(f"{ADDRESS} = ANY(%s::tid[])", ([key[0] for key in keys],))
        return super().keys_condition(columns, keys)

    def any_of(self, expression: str, values: Sequence[Any]) -> Condition:
        """Bind all values as one array: the statement stays the same however many there are."""
        return Condition(f"{expression} = ANY(%s)", (list(values),))

    def quote(self, name: str) -> str:
        """Return an identifier as it is written in a statement."""
        return '"' + name.replace('"', '""') + '"'

    def place(self, name: str, schema: str | None = None) -> str:
        """Return the quoted name of a table with its schema."""
        return f"{self.quote(schema or 'public')}.{self.quote(name)}"

    def find_tables(self, names: Sequence[str], schema: str | None = None) -> dict[str, Table]:
        """Return the tables that exist, looked up with a few queries in all."""
        return catalogue.find_tables(self, names, self._session.schemas if schema is None else (schema,))

    def schemas_with(self, name: str) -> list[str]:
        """Return the schemas that have a table called `name`, whatever the search path is."""
        return catalogue.schemas_with(self, name)

    def unchanged_guard(self) -> Condition | None:
        """Compare the transaction that wrote the row with the oldest one that is still open."""
        oldest = (
            self.query("SELECT pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot())")[0][0]
            % 2**32
        )
        # Numbers of transactions come round again: rows that are very old may seem to be of the future.
        return Condition(
            "pg_catalog.age(t.xmin) NOT BETWEEN 0 AND pg_catalog.age(%s::text::xid)", (str(oldest),)
        )

    def leaves(self, table: Table) -> list[Table]:
        """Return a partitioned table's partitions: row addresses mean something only within one of them."""
        return catalogue.leaves(self, table)

    def stored_value(self, instant: datetime, column: Column, zone: ZoneInfo) -> Any:
        """Return an instant (aware) as a column with a time holds it; `zone` is that of the writer."""
        return instant if column.kind == "instant" else instant.astimezone(zone).replace(tzinfo=None)

    def layout_of(self, table: Table) -> object:
        """Return the file that a table is in: VACUUM FULL, CLUSTER and the like write another one."""
        return self.query("SELECT pg_catalog.pg_relation_filenode(%s)", (table.detail["oid"],))[0][0]

    def estimate(self, target: Target) -> int | None:
        """Return the planner's guess; None for a table without statistics."""
        if self._planned is None or self._planned[0] is not target:
            known = statistics(self, target).rows
            self._planned = (target, planned_rows(self, target.table, target.condition) if known else None)
        return self._planned[1]

    def table_size(self, table: Table) -> TableSize:
        """Return rows by the statistics and bytes on disk with indexes and large values."""
        return table_size(self, table)

    def _dense(self, target: Target, known: Statistics) -> bool:
        if known.rows:
            expired = planned_rows(self, target.table, target.condition)
            self._planned = (target, expired)
            least = ORDERED_SHARE if known.correlation > ORDERED else DENSE_SHARE
            return expired >= least * known.rows
        self._planned = (target, None)
        if not target.indexed:
            return True
        expired = self.bounded_count(target.table, target.condition)
        return expired >= COUNT_BOUND or expired >= DENSE_SHARE * planned_rows(self, target.table, None)

    def scan(self, target: Target) -> Scan:
        """Scan ranges of blocks when much has expired or no index leads with the time, else the index."""
        known = statistics(self, target)
        ranges = self._connection.info.server_version >= TID_RANGES_SINCE
        if ranges and (self._dense(target, known) or not target.indexed):
            return TidRangeScan(self, SharedHeapScan(target, known.blocks))
        return TimeIndexScan(self, SharedScan(target, None))

    def join(self, shared: SharedScan[Any]) -> Scan:
        """Take part in another worker's scan, by the access path it began with."""
        return (
            TidRangeScan(self, shared) if isinstance(shared, SharedHeapScan) else TimeIndexScan(self, shared)
        )

    def _index_option(self, table: Table) -> str:
        # Of a partitioned table the server creates none so.
        return "" if table.detail["partitioned"] else self.index_option

    def missing_privileges(self, table: Table) -> list[str]:
        """Return which of SELECT and DELETE the login does not have on a table."""
        return privileges.missing(self, table)

    def denied(self, table: Table, columns: Sequence[str]) -> Iterator[Denied]:
        """Yield what keeps the login from reading all rows of a table, or some of its columns."""
        return privileges.denied(self, table, columns)

    def schema_usage(self, table: Table) -> Iterator[Finding]:
        """Find out whether the login may use the table's schema."""
        return privileges.schema_usage(self, table, self.login)

    def grant_statement(self, wanted: Sequence[str], place: str) -> str:
        """Return the GRANT that gives the login privileges on a table."""
        return privileges.grant_statement(wanted, place, self.login)

    def read_only(self) -> Iterator[Finding]:
        """Find out whether this is a standby server, or the login's transactions only read."""
        return health.read_only(self, self.login)

    def left_alone(self, table: Table) -> Iterator[Finding]:
        """Find tables with rows that inherit from the table: they are tables of their own."""
        return health.inheriting(self, table)

    def in_between(self) -> Iterator[Finding]:
        """Find out whether a pooler stands before the server."""
        if self._session.pooled:
            yield POOLED

    def long_transactions(self, longer: timedelta) -> Iterator[Finding]:
        """Find transactions open for longer than that, and replication slots nobody uses."""
        return health.long_transactions(self, longer)

    def vacuum(self, tables: Sequence[Table]) -> Iterator[Finding]:
        """Find out whether the server frees what is deleted by itself."""
        return health.vacuum(self, tables)

    def replica_lag(self, replica: DatabaseUrl | None) -> Lag:
        """Measure the lag of the standby servers, which the primary server knows itself."""
        return StandbyLag(self)

    def claim(self, table: Table, part: str = "") -> bool:
        """Take the advisory lock of the table or part if it is free; it ends with the session at latest.

        Behind a pooler it ends with each transaction, and the next one takes it again.
        """
        key, kind = self._claim_key(table, part), "xact_" if self._session.pooled else ""
        free = bool(self.query(f"SELECT pg_catalog.pg_try_advisory_{kind}lock(%s, %s)", key)[0][0])
        if free and self._session.pooled:
            self._claimed.add(key)
        return free

    def release(self, table: Table, part: str = "") -> None:
        """Give the advisory lock back."""
        key = self._claim_key(table, part)
        self._claimed.discard(key)
        if not self._session.pooled:
            self.query("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", key)

    def claimant(self, table: Table, part: str = "") -> Claimant | None:
        """Ask who has the lock: every login may take it, whatever its rights on the table are."""
        space, key = self._claim_key(table, part)
        found = self.query(_CLAIMANT, (space, key % 2**32))
        if not found:
            return None
        process, user, program, ours = found[0]
        end = f"SELECT pg_catalog.pg_terminate_backend({process})"
        return Claimant(f"process {process} of {user} ({program or 'no name'})", ours, end)

    @staticmethod
    def _claim_key(table: Table, part: str) -> tuple[int, int]:
        # Two parts with the same number would only wait for each other.
        key = zlib.crc32(part.encode(), table.detail["oid"]) if part else table.detail["oid"]
        return CLAIM_SPACE, key if key < 2**31 else key - 2**32

    def translate(self, error: Exception) -> Exception:
        """Return the driver's error as one of ours: to retry, to skip, or to report."""
        return history_error(error, self._url)
