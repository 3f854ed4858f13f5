"""PostgreSQL as a history's database: catalogue, statements, and how to find expired rows fast."""

from __future__ import annotations

import json
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.sql import (
    COUNT_BOUND,
    DENSE_SHARE,
    Batch,
    Column,
    Condition,
    Cutoff,
    Database,
    ForeignKey,
    ForeignKeyError,
    LockConflictError,
    Table,
    Target,
    epoch,
    unfit_column,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.sql import Deletion

CONNECT_SECONDS = 10
LOCK_TIMEOUT = "2s"
STATEMENT_TIMEOUT = "60s"
CLAIM_SPACE = zlib.crc32(b"cleanupctl") & 0x7FFFFFFF
"""First half of the advisory locks by which workers share tables out among themselves."""

TID_RANGES_SINCE = 140000
"""Server version from which a range of blocks is read without reading the whole table."""

_KINDS = {
    "timestamp without time zone": "wall",
    "timestamp with time zone": "instant",
    "date": "date",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
}

_CATALOGUE = """
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relname = %(name)s
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE lower(c.relname) = lower(%(name)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (n.nspname = %(schema)s OR (%(schema)s::text IS NULL AND n.nspname = ANY(current_schemas(false))))
ORDER BY c.relname = %(name)s DESC, array_position(current_schemas(false), n.nspname), c.relname
"""
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_catalog.pg_attribute a
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_KEY = """
SELECT a.attname FROM pg_catalog.pg_index i
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %s AND i.indisprimary ORDER BY k.place
"""
_INDEXED = """
SELECT DISTINCT a.attname FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = %s AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree'
"""
_REFERENCES = """
SELECT n.nspname, c.relname, k.confdeltype,
  ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY u(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum ORDER BY u.place),
  ARRAY(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY u(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum ORDER BY u.place)
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.confrelid = %s AND k.conparentid = 0
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


class PostgreSQL(Database):
    """One session; every statement outside `PostgreSQL.delete` commits by itself."""

    def __init__(self, url: DatabaseUrl, connection: Connection[Any]) -> None:
        self._url = url
        self._connection = connection
        with self.translated():
            connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
            connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")

    def close(self) -> None:
        """Disconnect; never raises."""
        with suppress(Exception):
            self._connection.close()

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
        from psycopg import Rollback

        with self.translated(), self._connection.transaction() as transaction:
            rows = self._connection.execute(sql, parameters).rowcount
            if rows > most_rows:
                raise Rollback(transaction)
            return rows
        return None

    def quote(self, name: str) -> str:
        """Quote an identifier; a percent sign is doubled for the driver."""
        return '"' + name.replace('"', '""').replace("%", "%%") + '"'

    def qualified(self, table: Table) -> str:
        """Quoted schema and name."""
        return f"{self.quote(table.schema or 'public')}.{self.quote(table.name)}"

    def find_table(self, name: str, schema: str | None = None) -> Table | None:
        """Look a table up in the search path, or in the given schema."""
        found = self.query(_CATALOGUE, {"name": name, "schema": schema})
        if not found:
            return None
        exact = [row for row in found if row[4]] or found
        if len({row[2] for row in exact}) > 1:
            names = ", ".join(row[2] for row in exact)
            raise HistoryError(f"table name {name} is ambiguous: there are {names}; write it exactly")
        oid, namespace, relation, kind, _ = exact[0]
        if kind not in ("r", "p"):
            raise HistoryError(f"{name} is a view or a foreign table; name the table that holds the rows")
        return self._table(oid, namespace, relation, kind)

    def _table(self, oid: int, namespace: str, relation: str, kind: str) -> Table:
        columns = [
            Column(name, _KINDS.get(kind_, "other"), kind_) for name, kind_ in self.query(_COLUMNS, (oid,))
        ]
        return Table(
            schema=namespace,
            name=relation,
            columns={column.name.lower(): column for column in columns},
            key=tuple(row[0] for row in self.query(_KEY, (oid,))),
            indexed=frozenset(row[0] for row in self.query(_INDEXED, (oid,))),
            references=tuple(
                ForeignKey(
                    f"{self.quote(row[0])}.{self.quote(row[1])}",
                    tuple(row[3]),
                    tuple(row[4]),
                    _ACTIONS.get(row[2], "restrict"),
                )
                for row in self.query(_REFERENCES, (oid,))
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

    def _analyzed(self, table: Table) -> bool:
        oid = table.detail["oid"]
        return bool(self.query("SELECT reltuples > 0 FROM pg_catalog.pg_class WHERE oid = %s", (oid,))[0][0])

    def estimate(self, target: Target) -> int | None:
        """Read the planner's guess; None for a table without statistics."""
        if not self._analyzed(target.table):
            return None
        return self._planned_rows(target.table, target.condition)

    def _dense(self, target: Target) -> bool:
        if self._analyzed(target.table):
            expired = self._planned_rows(target.table, target.condition)
        elif target.indexed:
            expired = self.bounded_count(target.table, target.condition)
            if expired >= COUNT_BOUND:
                return True
        else:
            return True
        return expired >= DENSE_SHARE * max(1, self._planned_rows(target.table, None))

    def deletion(self, target: Target) -> Deletion:
        """Sweep the heap when much has expired or no index leads with the time, else walk the index."""
        sweeps = self._connection.info.server_version >= TID_RANGES_SINCE
        if sweeps and (not target.indexed or self._dense(target)):
            return BlockSweep(self, target)
        return IndexOrder(self, target)

    def blocks(self, table: Table) -> int:
        """Size of the table's heap in blocks, as of now."""
        sql = "SELECT pg_relation_size(%s::oid::regclass) / current_setting('block_size')::bigint"
        return int(self.query(sql, (table.detail["oid"],))[0][0])

    def claim(self, table: Table) -> bool:
        """Take the table's advisory lock, if it is free; it ends with the session at the latest."""
        return bool(self.query("SELECT pg_try_advisory_lock(%s, %s)", self._claim_key(table))[0][0])

    def release(self, table: Table) -> None:
        """Give the table's advisory lock back."""
        self.query("SELECT pg_advisory_unlock(%s, %s)", self._claim_key(table))

    @staticmethod
    def _claim_key(table: Table) -> tuple[int, int]:
        oid = table.detail["oid"]
        return CLAIM_SPACE, oid if oid < 2**31 else oid - 2**32

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
                return LockConflictError(text)
            case errors.ForeignKeyViolation():
                return ForeignKeyError(text)
            case errors.InsufficientPrivilege():
                return HistoryError(f"{self._url}: {text}")
            case psycopg.OperationalError() | psycopg.InterfaceError():
                return HistoryUnreachableError(f"{self._url} is not reachable any more: {text}")
            case psycopg.Error():
                return HistoryError(f"{self._url}: {text}")
        return error


class BlockSweep:
    """Reads the heap once, range by range of blocks; dead rows and others' old snapshots cost nothing."""

    way = "sweep"
    start_units = 64
    most_units = 16_384

    def __init__(self, database: PostgreSQL, target: Target) -> None:
        self._database = database
        self._target = target
        self._next = 0
        self._end = database.blocks(target.table)
        condition = target.deletable
        self._table = database.qualified(target.table)
        self._range = "t.ctid >= %s::tid AND t.ctid < %s::tid"
        self._where = condition.sql
        self._parameters = condition.parameters

    def run(self, units: int, most_rows: int) -> Batch:
        """Delete what has expired in the next `units` blocks."""
        end = min(self._next + units, self._end)
        bounds = (f"({self._next},0)", f"({end},0)")
        sql = f"DELETE FROM ONLY {self._table} AS t WHERE {self._range} AND {self._where}"
        rows = self._database.delete(sql, (*bounds, *self._parameters), most_rows)
        if rows is None:
            return self._part_of_block(bounds, most_rows) if units == 1 else Batch(0, overflow=True)
        self._next = end
        return Batch(rows, done=end >= self._end)

    def _part_of_block(self, bounds: tuple[str, str], most_rows: int) -> Batch:
        """Delete some rows of a single block that holds more than a transaction may delete."""
        inner = f"SELECT t.ctid FROM ONLY {self._table} AS t WHERE {self._range} AND {self._where} LIMIT %s"
        sql = f"DELETE FROM ONLY {self._table} AS t WHERE t.ctid = ANY(ARRAY({inner})) AND {self._where}"
        rows = self._database.delete(
            sql, (*bounds, *self._parameters, most_rows, *self._parameters), most_rows
        )
        return Batch(rows or 0)


class IndexOrder:
    """Walks the time index from the oldest row on, past rows that somebody else holds.

    The lower bound moves along, so that no batch walks again over the entries of rows already deleted,
    which stay in the index as long as any other session has an old snapshot.
    """

    way = "index"
    start_units = 1_000

    def __init__(self, database: PostgreSQL, target: Target) -> None:
        self._database = database
        self._target = target
        self._lower: Any = None
        self.most_units = COUNT_BOUND
        self._column = f"t.{database.quote(target.time_column.name)}"
        self._table = database.qualified(target.table)

    def run(self, units: int, most_rows: int) -> Batch:
        """Delete the next `units` expired rows, oldest first."""
        limit = min(units, most_rows)
        condition = self._target.deletable
        lower = () if self._lower is None else (self._lower,)
        bound = f"{self._column} >= %s AND " if lower else ""
        sql = (
            f"WITH doomed AS MATERIALIZED (SELECT t.ctid AS place, {self._column} AS moment"
            f" FROM ONLY {self._table} AS t WHERE {bound}{condition.sql}"
            f" ORDER BY {self._column} LIMIT %s FOR UPDATE OF t SKIP LOCKED),"
            f" gone AS (DELETE FROM ONLY {self._table} AS t"
            f" WHERE t.ctid = ANY(ARRAY(SELECT place FROM doomed)) AND {condition.sql} RETURNING 1)"
            " SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM doomed),"
            " (SELECT max(moment) FROM doomed)"
        )
        parameters = (*lower, *condition.parameters, limit, *condition.parameters)
        deleted, found, latest = self._database.query(sql, parameters)[0]
        self._lower = latest if latest is not None else self._lower
        return Batch(int(deleted), done=found < limit)
