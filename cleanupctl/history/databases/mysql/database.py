"""MySQL and MariaDB as a history's database: catalogue, statements, and the clustered key."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError, InvalidValueError
from cleanupctl.core.mysql_options import mysql_options
from cleanupctl.history.databases.catalogue import Column, ForeignKey, Table, unfit_column
from cleanupctl.history.databases.conditions import Condition, Statement, both
from cleanupctl.history.databases.costs import TypicalCosts
from cleanupctl.history.databases.cutoff import Cutoff, epoch
from cleanupctl.history.databases.database import IDLE_IN_TRANSACTION_SECONDS, IDLE_SECONDS
from cleanupctl.history.databases.errors import ForeignKeyError, LockConflictError, StatementTimeoutError
from cleanupctl.history.databases.key_scans import KeysetDatabase, in_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymysql.connections import Connection

    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.databases.target import Target

CONNECT_SECONDS = 10
LOCK_WAIT_SECONDS = 1
"""The shortest there is: others wait for the rows of our transaction meanwhile."""
STATEMENT_SECONDS = 60

_KINDS = {
    "datetime": "wall",
    "timestamp": "instant",
    "date": "date",
    "tinyint": "integer",
    "smallint": "integer",
    "mediumint": "integer",
    "int": "integer",
    "bigint": "integer",
}
_CONFLICTS = {1205, 1213, 3572, 1020, 1047}
"""Lock wait time-out, deadlock or failed certification, NOWAIT, changed since read; from a Galera node: not
ready at present."""
_TOO_MUCH = {1969, 3024, 1317, 1180}
"""Statement time-outs, interrupted; from a Galera node: write set refused at the commit for its size."""
_TOO_LARGE = "writeset size exceeded"
"""What a Galera node says, under a number that means nothing, of more than wsrep_max_ws_size bytes."""
GALERA_ROWS = 1_000
"""A write set is certified as a whole, sent to every node and applied there: small ones fail less often, and
lose less when they do."""

_CLUSTER = "SHOW GLOBAL VARIABLES WHERE variable_name IN ('wsrep_on', 'wsrep_max_ws_rows')"
_REFERENCED = {1217, 1451}
_LOST = {2002, 2003, 2006, 2013, 1927, 1053, 1077, 1152, 4031}

_TABLES = """
SELECT table_schema, table_name, table_type, engine FROM information_schema.tables
WHERE table_schema = COALESCE(%s, DATABASE()) AND LOWER(table_name) IN ({names})
"""
_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = %s AND table_name IN ({names}) ORDER BY ordinal_position
"""
_INDEXES = """
SELECT table_name, index_name, column_name, seq_in_index FROM information_schema.statistics
WHERE table_schema = %s AND table_name IN ({names}) AND index_type = 'BTREE'
ORDER BY index_name, seq_in_index
"""
_REFERENCES = """
SELECT k.referenced_table_name, k.table_schema, k.table_name, k.constraint_name, k.column_name,
  k.referenced_column_name, r.delete_rule
FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
  ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
 AND r.table_name = k.table_name
WHERE k.referenced_table_schema = %s AND k.referenced_table_name IN ({names})
ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position
"""
_ACTIONS = {"CASCADE": "cascade", "SET NULL": "set", "SET DEFAULT": "set"}


def connection_options(url: DatabaseUrl) -> dict[str, Any]:
    """Translate a URL into what PyMySQL's connect takes. Raises InvalidValueError for unknown options."""
    options: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "charset": "utf8mb4"} | mysql_options(url)
    if url.host:
        options["host"] = url.host
    if url.port:
        options["port"] = url.port
    return options | {"user": url.user, "password": url.password or "", "database": url.database}


def connect(url: DatabaseUrl) -> MySQL:
    """Connect as the URL says. Raises HistoryUnreachableError."""
    try:
        import pymysql
    except ImportError:
        raise HistoryUnreachableError(
            f"{url} needs the MySQL driver: pip install 'cleanupctl[mysql]'"
        ) from None
    try:
        connection = pymysql.connect(autocommit=True, **connection_options(url))
    except (pymysql.MySQLError, InvalidValueError, LookupError, OSError) as error:
        raise HistoryUnreachableError(f"{url} is not reachable: {_one_line(error, url)}") from error
    return MySQL(url, connection)


def _one_line(error: Exception, url: DatabaseUrl) -> str:
    text = " ".join(str(error.args[-1] if error.args else error).split())
    for secret in url.secrets():
        text = text.replace(secret, "***")
    return text or type(error).__name__


def _by_first(rows: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    """Group rows by their first value, and leave it out of them."""
    grouped: dict[str, list[tuple[Any, ...]]] = {}
    for first, *rest in rows:
        grouped.setdefault(first, []).append(tuple(rest))
    return grouped


class MySQL(KeysetDatabase):
    """One session in READ COMMITTED: deletes lock the rows they delete and no gaps beside them."""

    # In a table that is not in memory yet, each row waits for a page of each of its indexes.
    start_rows = 500
    # MySQL refuses a DELETE whose subquery reads the same table.
    deletes_by_subquery = False
    delete_prefix = "DELETE t FROM"
    placeholder = "%s"
    typical_costs = TypicalCosts(row=8, index=2.5, reference=1)

    def __init__(self, url: DatabaseUrl, connection: Connection[Any]) -> None:
        self._url = url
        self._connection = connection
        # Not for the session: whoever counts may take longer. MySQL has no such limit for a DELETE.
        self._limited = idle = ""
        if "MariaDB" in str(connection.get_server_info()):  # type: ignore[no-untyped-call] # its stubs
            self._limited = f"SET STATEMENT max_statement_time = {STATEMENT_SECONDS} FOR "
            idle = f", SESSION idle_transaction_timeout = {IDLE_IN_TRANSACTION_SECONDS}"
        for setting in (
            "SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            f"SESSION innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS},"
            f" SESSION wait_timeout = {IDLE_SECONDS}{idle}",
            # `timestamp` columns hold instants: compare them in UTC whatever the server's own zone is.
            "SESSION time_zone = '+00:00'",
        ):
            self.query(f"SET {setting}")
        cluster = dict(self.query(_CLUSTER))
        if cluster.get("wsrep_on") == "ON":
            # 0 is no limit.
            self.transaction_rows = min(GALERA_ROWS, int(cluster.get("wsrep_max_ws_rows", 0)) or GALERA_ROWS)

    def close(self) -> None:
        """Disconnect; never raises."""
        with suppress(Exception):
            self._connection.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement outside a transaction and return its rows."""
        with self.translated(), self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(parameters))
            return list(cursor.fetchall())

    def delete(self, statement: str, parameters: Sequence[Any], most_rows: int) -> int | None:
        """Run a DELETE in a transaction; None, and nothing done, when more than `most_rows` rows go."""
        rows = self.delete_all((Statement(statement, parameters),), most_rows)
        return None if rows is None else rows[0]

    def delete_all(self, statements: Sequence[Statement], most_rows: int) -> list[int] | None:
        """Run DELETEs in one transaction; None, and nothing done, when more than `most_rows` rows go."""
        rows: list[int] = []
        with self.translated():
            try:
                self._connection.begin()
                for statement in statements:
                    with self._connection.cursor() as cursor:
                        sql = f"{self._limited}{statement.sql}"
                        rows.append(statement.deleted(cursor.execute(sql, tuple(statement.parameters))))
                    if sum(rows) > most_rows:
                        self._connection.rollback()
                        return None
                self._connection.commit()
            except BaseException:
                self._roll_back()
                raise
        return rows

    def delete_by_keys(self, select: Condition, target: Target, most_rows: int) -> int | None:
        """Lock the rows that `select` finds, then delete them by key, in one transaction."""
        with self.translated():
            try:
                self._connection.begin()
                with self._connection.cursor() as cursor:
                    cursor.execute(f"{self._limited}{select.sql} FOR UPDATE", select.parameters)
                    keys = list(cursor.fetchall())
                    if len(keys) > most_rows:
                        self._connection.rollback()
                        return None
                    rows = 0
                    for chunk in in_pieces(keys):
                        # Repeats the condition: a row may have changed before it was locked.
                        where = both((self.keys_condition(target.table, chunk), target.condition))
                        delete = f"{self.delete_prefix} {self.rows_of(target)} WHERE {where.sql}"
                        rows += cursor.execute(f"{self._limited}{delete}", where.parameters)
                self._connection.commit()
            except BaseException:
                self._roll_back()
                raise
        return rows

    def _roll_back(self) -> None:
        with suppress(Exception):
            self._connection.rollback()

    def rows_of(self, target: Target, *, along_key: bool = False) -> str:
        """Write the table with its alias; the planner would otherwise leave the key for the time index."""
        hint = " FORCE INDEX (PRIMARY)" if along_key else ""
        return f"{self.qualified(target.table)} AS t{hint}"

    def quote(self, name: str) -> str:
        """Quote an identifier; a percent sign is doubled for the driver."""
        return "`" + name.replace("`", "``").replace("%", "%%") + "`"

    def qualified(self, table: Table) -> str:
        """Quoted database and name."""
        return f"{self.quote(table.schema or self._url.database)}.{self.quote(table.name)}"

    def find_table(self, name: str, schema: str | None = None) -> Table | None:
        """Look a table up in the URL's database, or in the given one."""
        return self.find_tables((name,), schema).get(name)

    def find_tables(self, names: Sequence[str], schema: str | None = None) -> dict[str, Table]:
        """Look several tables up with four queries in all; those that are not there are left out."""
        found = self._catalogue(_TABLES, schema, [name.lower() for name in names])
        chosen = {}
        for name in names:
            same = [row for row in found if row[1].lower() == name.lower()]
            if same:
                chosen[name] = self._chosen(name, same)
        if not chosen:
            return {}
        relations = [row[1] for row in chosen.values()]
        place = found[0][0]
        columns, indexes, references = (
            _by_first(self._catalogue(sql, place, relations)) for sql in (_COLUMNS, _INDEXES, _REFERENCES)
        )
        return {
            name: self._table(row, columns[row[1]], indexes.get(row[1], []), references.get(row[1], []))
            for name, row in chosen.items()
        }

    def _catalogue(self, sql: str, schema: str | None, names: Sequence[str]) -> list[tuple[Any, ...]]:
        marks = ", ".join(["%s"] * len(names))
        return self.query(sql.format(names=marks), (schema, *names))

    @staticmethod
    def _chosen(name: str, found: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        exact = [row for row in found if row[1] == name] or found
        if len(exact) > 1:
            among = ", ".join(row[1] for row in exact)
            raise HistoryError(f"table name {name} is ambiguous: there are {among}; write it exactly")
        if exact[0][2] != "BASE TABLE":
            raise HistoryError(f"{name} is a view; name the table that holds the rows")
        return exact[0]

    def _table(
        self,
        row: tuple[Any, ...],
        columns: list[tuple[Any, ...]],
        indexes: list[tuple[Any, ...]],
        references: list[tuple[Any, ...]],
    ) -> Table:
        known = [Column(name, _KINDS.get(type_.lower(), "other"), type_) for name, type_ in columns]
        return Table(
            schema=row[0],
            name=row[1],
            columns={column.name.lower(): column for column in known},
            key=tuple(column for index, column, _ in indexes if index == "PRIMARY"),
            indexed=frozenset(column for _, column, place in indexes if place == 1),
            references=self._references(references),
            detail={"engine": row[3]},
        )

    def _references(self, rows: list[tuple[Any, ...]]) -> tuple[ForeignKey, ...]:
        grouped: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}
        for schema, table, constraint, *rest in rows:
            grouped.setdefault((schema, table, constraint), []).append(tuple(rest))
        return tuple(
            ForeignKey(
                f"{self.quote(schema)}.{self.quote(table)}",
                tuple(column for column, _, _ in found),
                tuple(referenced for _, referenced, _ in found),
                _ACTIONS.get(found[0][2], "restrict"),
            )
            for (schema, table, _), found in grouped.items()
        )

    def expired(self, column: Column, cutoff: Cutoff, table: Table, time_format: str | None) -> Condition:
        """Compare by the column's own type; never casts the column, so that its index serves."""
        name = f"t.{self.quote(column.name)}"
        match column.kind:
            case "wall":
                return Condition(f"{name} <= %s", (cutoff.wall,))
            case "instant":
                return Condition(f"{name} <= %s", (cutoff.instant.replace(tzinfo=None),))
            case "date":
                return Condition(f"{name} < %s", (cutoff.day,))
            case "integer":
                return Condition(f"{name} <= %s", (epoch(cutoff.instant, time_format, column, table),))
            case _:
                raise unfit_column(column, table)

    def named_rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run a statement whose columns differ between servers; returns them by name."""
        with self.translated(), self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(parameters))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _planned_rows(self, target: Target, condition: Condition | None) -> int:
        where = f" WHERE {condition.sql}" if condition else ""
        explain = f"EXPLAIN SELECT 1 FROM {self.rows_of(target)}{where}"
        plan = self.named_rows(explain, condition.parameters if condition else ())
        return int(plan[0].get("rows") or 0) if plan else 0

    def estimate(self, target: Target) -> int | None:
        """Read the planner's guess, which InnoDB takes from the index itself."""
        return self._planned_rows(target, target.condition) if target.indexed else None

    def share(self, target: Target) -> float:
        """Compare the planner's guess with its guess of the whole table."""
        return self._planned_rows(target, target.condition) / max(1, self._planned_rows(target, None))

    def claim(self, table: Table, part: str = "") -> bool:
        """Take the user lock of the table or part, if it is free; it ends with the session at the latest."""
        return bool(self.query("SELECT GET_LOCK(%s, 0)", (self._claim_name(table, part),))[0][0])

    def release(self, table: Table, part: str = "") -> None:
        """Give the user lock back."""
        self.query("SELECT RELEASE_LOCK(%s)", (self._claim_name(table, part),))

    @staticmethod
    def _claim_name(table: Table, part: str) -> str:
        import hashlib

        # Lock names are server-wide and at most 64 characters long.
        digest = hashlib.sha256(f"{table.schema}.{table.name}{part and ' ' + part}".encode()).hexdigest()
        return f"cleanupctl:{digest[:40]}"

    def translate(self, error: Exception) -> Exception:
        """Sort the driver's errors into those to retry, to skip, and to report."""
        import pymysql

        if not isinstance(error, pymysql.MySQLError):
            return error
        number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        text = _one_line(error, self._url)
        if number in _CONFLICTS:
            return LockConflictError(text)
        if number in _TOO_MUCH or _TOO_LARGE in text:
            return StatementTimeoutError(text)
        if number in _REFERENCED:
            return ForeignKeyError(text)
        if number in _LOST or isinstance(error, pymysql.err.InterfaceError):
            return HistoryUnreachableError(f"{self._url} is not reachable any more: {text}")
        return HistoryError(f"{self._url}: {text}")
