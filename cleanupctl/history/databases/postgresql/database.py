"""PostgreSQL as a history's database: catalogue, statements, and how to find expired rows fast."""

from __future__ import annotations

import json
import zlib
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.databases.catalogue import Column, ForeignKey, Table, unfit_column
from cleanupctl.history.databases.conditions import Condition, Statement
from cleanupctl.history.databases.costs import TypicalCosts
from cleanupctl.history.databases.cutoff import Cutoff, epoch
from cleanupctl.history.databases.database import (
    COUNT_BOUND,
    DENSE_SHARE,
    IDLE_IN_TRANSACTION_SECONDS,
    IDLE_SECONDS,
    Database,
)
from cleanupctl.history.databases.errors import ForeignKeyError, LockConflictError, StatementTimeoutError
from cleanupctl.history.databases.postgresql.scans import SharedHeapScan, TidRangeScan, TimeIndexScan
from cleanupctl.history.databases.shared_scan import SharedScan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.databases.scan import Scan
    from cleanupctl.history.databases.target import Target

CONNECT_SECONDS = 10
LOCK_TIMEOUT = "500ms"
"""Others wait for the rows of our transaction meanwhile. Shorter than a server's deadlock_timeout (1s): then
it is always we who give way, and never a live transaction that is undone."""
STATEMENT_TIMEOUT = "60s"
CLAIM_SPACE = zlib.crc32(b"cleanupctl") & 0x7FFFFFFF
"""First half of the advisory locks by which workers share tables out among themselves."""

ORDERED = 0.9
"""From this correlation on, the time index leads to the rows almost in the order in which they lie."""
ORDERED_SHARE = 0.6
"""Share of expired rows from which a sweep pays even then: it reads the rest of the table for nothing."""

PIPELINED = 8
"""Statements of a transaction that are sent without waiting for the first one's end: only then is it known
whether they deleted more than they may."""

IDLE_TIMEOUT_SINCE = 140000
TID_RANGES_SINCE = 140000
"""Server version from which a range of blocks is read without reading the whole table."""

_COMMIT_WITHOUT_WAITING = """
SELECT set_config('synchronous_commit', 'off', false) WHERE current_setting('synchronous_standby_names') = ''
  AND current_setting('synchronous_commit') <> 'off'
"""
"""Where standby servers have to confirm commits, waiting for them keeps cleanup from outrunning them."""
_WAIT_FOR_DISK = "SET LOCAL synchronous_commit = on"

_KINDS = {
    "timestamp without time zone": "wall",
    "timestamp with time zone": "instant",
    "date": "date",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
}

_CATALOGUE = """
SELECT asked.name, c.oid, n.nspname, c.relname::text, c.relkind,
  ARRAY(SELECT ARRAY[a.attname::text, format_type(a.atttypid, NULL)] FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
  ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY k.place),
  ARRAY(SELECT DISTINCT a.attname::text FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree'),
  (SELECT json_agg(json_build_array(rn.nspname, r.relname, f.confdeltype,
     ARRAY(SELECT a.attname FROM unnest(f.conkey) WITH ORDINALITY u(attnum, place)
           JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = u.attnum
           ORDER BY u.place),
     ARRAY(SELECT a.attname FROM unnest(f.confkey) WITH ORDINALITY u(attnum, place)
           JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = u.attnum
           ORDER BY u.place)))
   FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class r ON r.oid = f.conrelid
   JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
   WHERE f.contype = 'f' AND f.confrelid = c.oid AND f.conparentid = 0)
FROM unnest(%(names)s::text[]) AS asked (name)
JOIN pg_catalog.pg_class c ON lower(c.relname) = lower(asked.name)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (n.nspname = %(schema)s OR (%(schema)s::text IS NULL AND n.nspname = ANY(current_schemas(false))))
ORDER BY c.relname = asked.name DESC, array_position(current_schemas(false), n.nspname), c.relname
"""
_STATISTICS = """
SELECT c.reltuples, c.relpages, pg_relation_size(c.oid) / current_setting('block_size')::bigint,
  (SELECT abs(s.correlation) FROM pg_catalog.pg_stats s
   WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = %s)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s
"""
_LEAVES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_partition_tree(%s::oid::regclass) p
JOIN pg_catalog.pg_class c ON c.oid = p.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE p.isleaf ORDER BY c.relname
"""
_ACTIONS = {"c": "cascade", "n": "set", "d": "set"}


def connect(url: DatabaseUrl) -> PostgreSQL:
    """Connect as the URL says. Raises HistoryUnreachableError."""
    try:
        import psycopg
    except ImportError:
        raise HistoryUnreachableError(
            f"{url} needs the PostgreSQL driver: pip install 'cleanupctl[postgres]'"
        ) from None
    options: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "cleanupctl"}
    options |= dict(url.query)
    for name, value in (
        ("host", url.host),
        ("port", url.port),
        ("user", url.user),
        ("password", url.password),
    ):
        if value is not None:
            options[name] = value
    try:
        connection = psycopg.connect(dbname=url.database, autocommit=True, prepare_threshold=None, **options)
    except psycopg.Error as error:
        raise HistoryUnreachableError(f"{url} is not reachable: {_one_line(error, url)}") from error
    return PostgreSQL(url, connection)


def _one_line(error: Exception, url: DatabaseUrl) -> str:
    text = " ".join(str(error).split())
    for secret in url.secrets():
        text = text.replace(secret, "***")
    return text or type(error).__name__


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is known of a table without looking at its rows."""

    rows: float
    """Rows of the table; 0 when it was never analyzed."""
    blocks: int
    correlation: float
    """How far the rows lie in the order of the time column: 0 not at all, 1 wholly."""


class PostgreSQL(Database):
    """One session; every statement outside `PostgreSQL.delete` commits by itself.

    Commits do not wait for the disk: a crash of the server can bring the last batches back, in the order
    in which they went, and the next run deletes them again. `close` waits for all of them at once.
    """

    index_option = "CONCURRENTLY "
    # Deleting leaves indexes alone; a foreign key costs a query for each row.
    typical_costs = TypicalCosts(row=2.2, index=0, reference=10)

    def __init__(self, url: DatabaseUrl, connection: Connection[Any]) -> None:
        from psycopg import IsolationLevel

        self._url = url
        self._connection = connection
        self._unflushed = False
        self._planned: tuple[Target, int | None] | None = None
        # Whatever the database's default is: a row that changed is looked at again, not refused.
        connection.isolation_level = IsolationLevel.READ_COMMITTED
        with self.translated():
            idle = f"; SET idle_session_timeout = '{IDLE_SECONDS}s'"
            connection.execute(
                f"SET lock_timeout = '{LOCK_TIMEOUT}'; SET statement_timeout = '{STATEMENT_TIMEOUT}';"
                f" SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_SECONDS}s'"
                f"{idle if connection.info.server_version >= IDLE_TIMEOUT_SINCE else ''}"
            )
            connection.execute(_COMMIT_WITHOUT_WAITING)

    def close(self) -> None:
        """Wait until the disk has what was deleted, and disconnect; never raises."""
        with suppress(Exception):
            self._flush()
        with suppress(Exception):
            self._connection.close()

    def _flush(self) -> None:
        if self._unflushed:
            with self._connection.transaction():
                self._connection.execute(_WAIT_FOR_DISK)
                self._connection.execute("SELECT pg_logical_emit_message(true, 'cleanupctl', '')")
            self._unflushed = False

    def query(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Run a statement outside a transaction and return its rows."""
        with self.translated():
            return self._connection.execute(sql, parameters).fetchall()

    def count(self, target: Target) -> tuple[int, Any]:
        """Count exactly, however long it takes: whoever asks for a dry run wants the number."""
        self._connection.execute("SET statement_timeout = 0")
        try:
            return super().count(target)
        finally:
            self._connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")

    def delete(self, sql: str, parameters: Sequence[Any], most_rows: int) -> int | None:
        """Run a DELETE in a transaction; None, and nothing done, when more than `most_rows` rows went."""
        rows = self.delete_all((Statement(sql, parameters),), most_rows)
        return None if rows is None else rows[0]

    def delete_all(self, statements: Sequence[Statement], most_rows: int) -> list[int] | None:
        """Run DELETEs in one transaction; None, and nothing done, when more than `most_rows` rows went."""
        from psycopg import Rollback

        # A connection that breaks in the rollback lets Rollback out; the next statement says what broke it.
        with self.translated(), suppress(Rollback), self._connection.transaction() as transaction:
            rows: list[int] = []
            for start in range(0, len(statements), PIPELINED):
                rows += self._run_together(statements[start : start + PIPELINED])
                if sum(rows) > most_rows:
                    raise Rollback(transaction)
            self._unflushed = self._unflushed or any(rows)
            return rows
        return None

    def _run_together(self, statements: Sequence[Statement]) -> Iterator[int]:
        """Run statements, with one round trip where the client can; yield how many rows each deleted."""
        from psycopg import Pipeline

        together = len(statements) > 1 and Pipeline.is_supported()
        with self._connection.pipeline() if together else nullcontext():
            cursors = [self._connection.execute(one.sql, one.parameters) for one in statements]
        for statement, cursor in zip(statements, cursors, strict=True):
            yield statement.deleted(cursor.rowcount)

    def any_of(self, expression: str, values: Sequence[str]) -> Condition:
        """Bind all values as one array: the statement stays the same however many there are."""
        return Condition(f"{expression} = ANY(%s)", (list(values),))

    def quote(self, name: str) -> str:
        """Quote an identifier; a percent sign is doubled for the driver."""
        return '"' + name.replace('"', '""').replace("%", "%%") + '"'

    def qualified(self, table: Table) -> str:
        """Quoted schema and name."""
        return f"{self.quote(table.schema or 'public')}.{self.quote(table.name)}"

    def find_table(self, name: str, schema: str | None = None) -> Table | None:
        """Look a table up in the search path, or in the given schema."""
        return self.find_tables((name,), schema).get(name)

    def find_tables(self, names: Sequence[str], schema: str | None = None) -> dict[str, Table]:
        """Look several tables up with one query; those that are not there are left out."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        for row in self.query(_CATALOGUE, {"names": list(names), "schema": schema}):
            found.setdefault(row[0], []).append(row)
        return {name: self._chosen(name, rows) for name, rows in found.items()}

    def _chosen(self, name: str, found: list[tuple[Any, ...]]) -> Table:
        exact = [row for row in found if row[3] == name] or found
        if len({row[3] for row in exact}) > 1:
            among = ", ".join(row[3] for row in exact)
            raise HistoryError(f"table name {name} is ambiguous: there are {among}; write it exactly")
        _, oid, namespace, relation, kind, columns, key, indexed, references = exact[0]
        if kind not in ("r", "p"):
            raise HistoryError(f"{name} is a view or a foreign table; name the table that holds the rows")
        known = [Column(column, _KINDS.get(type_, "other"), type_) for column, type_ in columns]
        return Table(
            schema=namespace,
            name=relation,
            columns={column.name.lower(): column for column in known},
            key=tuple(key),
            indexed=frozenset(indexed),
            references=tuple(
                ForeignKey(
                    f"{self.quote(row[0])}.{self.quote(row[1])}",
                    tuple(row[3]),
                    tuple(row[4]),
                    _ACTIONS.get(row[2], "restrict"),
                )
                for row in references or ()
            ),
            detail={"oid": oid, "partitioned": kind == "p"},
        )

    def leaves(self, table: Table) -> list[Table]:
        """Return a partitioned table's partitions: row addresses mean something only within one of them."""
        if not table.detail["partitioned"]:
            return [table]
        found = (
            self.find_table(name, schema) for schema, name in self.query(_LEAVES, (table.detail["oid"],))
        )
        return [leaf for leaf in found if leaf is not None]

    def expired(self, column: Column, cutoff: Cutoff, table: Table, time_format: str | None) -> Condition:
        """Compare by the column's own type; never casts the column, so that its index serves."""
        name = f"t.{self.quote(column.name)}"
        match column.kind:
            case "wall":
                return Condition(f"{name} <= %s", (cutoff.wall,))
            case "instant":
                return Condition(f"{name} <= %s", (cutoff.instant,))
            case "date":
                return Condition(f"{name} < %s", (cutoff.day,))
            case "integer":
                return Condition(f"{name} <= %s", (epoch(cutoff.instant, time_format, column, table),))
            case _:
                raise unfit_column(column, table)

    def _planned_rows(self, table: Table, condition: Condition | None) -> int:
        where = f" WHERE {condition.sql}" if condition else ""
        sql = f"EXPLAIN (FORMAT JSON) SELECT 1 FROM ONLY {self.qualified(table)} AS t{where}"
        plan = self.query(sql, condition.parameters if condition else ())[0][0]
        plan = json.loads(plan) if isinstance(plan, str) else plan
        return int(plan[0]["Plan"]["Plan Rows"])

    def _statistics(self, target: Target) -> Statistics:
        place = (target.time_column.name, target.table.detail["oid"])
        rows, pages, blocks, correlation = self.query(_STATISTICS, place)[0]
        # As the planner does: the density that was seen last, times the size of today.
        known = max(0.0, rows) / pages * blocks if pages else 0.0
        return Statistics(known, int(blocks), correlation or 0.0)

    def estimate(self, target: Target) -> int | None:
        """Read the planner's guess; None for a table without statistics."""
        if self._planned is None or self._planned[0] is not target:
            known = self._statistics(target).rows
            self._planned = (target, self._planned_rows(target.table, target.condition) if known else None)
        return self._planned[1]

    def _dense(self, target: Target, statistics: Statistics) -> bool:
        if statistics.rows:
            expired = self._planned_rows(target.table, target.condition)
            self._planned = (target, expired)
            least = ORDERED_SHARE if statistics.correlation > ORDERED else DENSE_SHARE
            return expired >= least * statistics.rows
        self._planned = (target, None)
        if not target.indexed:
            return True
        expired = self.bounded_count(target.table, target.condition)
        return expired >= COUNT_BOUND or expired >= DENSE_SHARE * self._planned_rows(target.table, None)

    def scan(self, target: Target) -> Scan:
        """Sweep the heap when much has expired or no index leads with the time, else walk the index."""
        statistics = self._statistics(target)
        sweeps = self._connection.info.server_version >= TID_RANGES_SINCE
        if sweeps and (self._dense(target, statistics) or not target.indexed):
            return TidRangeScan(self, SharedHeapScan(target, statistics.blocks))
        return TimeIndexScan(self, SharedScan(target, None))

    def join(self, shared: SharedScan[Any]) -> Scan:
        """Take part in another worker's walk, the way it was begun."""
        return (
            TidRangeScan(self, shared) if isinstance(shared, SharedHeapScan) else TimeIndexScan(self, shared)
        )

    def claim(self, table: Table, part: str = "") -> bool:
        """Take the advisory lock of the table or part if it is free; it ends with the session at latest."""
        return bool(self.query("SELECT pg_try_advisory_lock(%s, %s)", self._claim_key(table, part))[0][0])

    def release(self, table: Table, part: str = "") -> None:
        """Give the advisory lock back."""
        self.query("SELECT pg_advisory_unlock(%s, %s)", self._claim_key(table, part))

    @staticmethod
    def _claim_key(table: Table, part: str) -> tuple[int, int]:
        # Two parts with the same number would only wait for each other.
        key = zlib.crc32(part.encode(), table.detail["oid"]) if part else table.detail["oid"]
        return CLAIM_SPACE, key if key < 2**31 else key - 2**32

    def translate(self, error: Exception) -> Exception:
        """Sort the driver's errors into those to retry, to skip, and to report."""
        import psycopg
        from psycopg import errors

        text = _one_line(error, self._url)
        match error:
            case (
                errors.LockNotAvailable()
                | errors.DeadlockDetected()
                | errors.SerializationFailure()
                | errors.QueryCanceled()
            ):
                itself = isinstance(error, errors.QueryCanceled)
                return StatementTimeoutError(text) if itself else LockConflictError(text)
            case errors.ForeignKeyViolation():
                return ForeignKeyError(text)
            case errors.InsufficientPrivilege():
                return HistoryError(f"{self._url}: {text}")
            case (
                psycopg.OperationalError()
                | psycopg.InterfaceError()
                | errors.IdleInTransactionSessionTimeout()
            ):
                return HistoryUnreachableError(f"{self._url} is not reachable any more: {text}")
            case psycopg.Error():
                return HistoryError(f"{self._url}: {text}")
        return error
