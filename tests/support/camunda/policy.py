"""What must stay and what must go in the engine's tables: said here once more, plainly and independently.

A row goes when its removal time is not after now, unless the root of its process instances has no end
yet, or a runtime row still refers to it by a foreign key. Everything else stays as it is, in every table.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cleanupctl.core.urls import parse_url
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_WITH_ROOT = (
    "ACT_HI_PROCINST", "ACT_HI_ACTINST", "ACT_HI_TASKINST", "ACT_HI_VARINST", "ACT_HI_DETAIL",
    "ACT_HI_INCIDENT", "ACT_HI_EXT_TASK_LOG", "ACT_HI_JOB_LOG", "ACT_HI_OP_LOG", "ACT_HI_IDENTITYLINK",
    "ACT_HI_COMMENT", "ACT_HI_ATTACHMENT", "ACT_GE_BYTEARRAY", "ACT_RU_AUTHORIZATION", "ACT_HI_DECINST",
    "ACT_HI_DEC_IN", "ACT_HI_DEC_OUT",
)  # fmt: skip
_NEEDED_BYTES = {
    "ACT_RU_VARIABLE": "BYTEARRAY_ID_",
    "ACT_RU_JOB": "EXCEPTION_STACK_ID_",
    "ACT_RU_EXT_TASK": "ERROR_DETAILS_ID_",
}


def checksums(
    url: str,
    now: datetime,
    *,
    zone: str = "UTC",
    task_metrics_ttl: timedelta | None = None,
    schema: str | None = None,
) -> dict[str, tuple[int, str]]:
    """Rows that must survive a cleanup at `now` (aware): for each table their count and a digest.

    The digest depends on every column and on no order. Every table of the engine is there, also those
    that no cleanup may touch. Task metrics go only with a time to live.
    """
    kind = parse_url(url).scheme
    found = {}
    with connect(url) as connection, connection.cursor() as cursor:
        use_schema(cursor, schema)
        for table in _tables(cursor):
            goes = _condition(table, metrics=task_metrics_ttl is not None)
            cursor.execute(
                f"SELECT count(*), coalesce(sum({_digest(cursor, kind, table)}), 0)"
                f" FROM {table} t WHERE NOT coalesce({goes}, FALSE)",
                _parameters(goes, now, zone, task_metrics_ttl),
            )
            count, digest = cursor.fetchone()
            found[table] = (int(count), str(digest))
    return found


def expired_counts(
    url: str,
    now: datetime,
    *,
    zone: str = "UTC",
    task_metrics_ttl: timedelta | None = None,
    schema: str | None = None,
) -> dict[str, int]:
    """Rows that a cleanup at `now` (aware) must remove, for each table that can have any."""
    found = {}
    with connect(url) as connection, connection.cursor() as cursor:
        use_schema(cursor, schema)
        for table in _tables(cursor):
            goes = _condition(table, metrics=task_metrics_ttl is not None)
            if goes != "FALSE":
                cursor.execute(
                    f"SELECT count(*) FROM {table} t WHERE {goes}",
                    _parameters(goes, now, zone, task_metrics_ttl),
                )
                found[table] = int(cursor.fetchone()[0])
    return found


def use_schema(cursor: Any, schema: str | None) -> None:
    """Work in a PostgreSQL schema other than the default."""
    if schema is not None:
        cursor.execute(f"SET search_path TO {schema}")


def has_table(cursor: Any, table: str) -> bool:
    """Whether the current schema has this table of the engine."""
    return table in _tables(cursor)


def columns_of(cursor: Any) -> dict[str, frozenset[str]]:
    """Columns of the engine's tables in the current schema; all names in upper case."""
    current = "current_schema()" if "psycopg" in type(cursor).__module__ else "database()"
    cursor.execute(
        "SELECT upper(table_name), upper(column_name) FROM information_schema.columns"
        f" WHERE table_schema = {current}"
    )
    found: dict[str, set[str]] = {}
    for table, column in cursor.fetchall():
        found.setdefault(table, set()).add(column)
    return {table: frozenset(columns) for table, columns in found.items()}


def _tables(cursor: Any) -> list[str]:
    """Names of the engine's tables in upper case."""
    current = "current_schema()" if "psycopg" in type(cursor).__module__ else "database()"
    cursor.execute(
        "SELECT upper(table_name) FROM information_schema.tables"
        f" WHERE table_schema = {current} AND table_type = 'BASE TABLE'"
    )
    return sorted(name for (name,) in cursor.fetchall() if name.startswith("ACT_"))


def _condition(table: str, *, metrics: bool) -> str:
    """SQL that is true for the rows of a table (called t) that have to go."""
    if table == "ACT_RU_TASK_METER_LOG" and metrics:
        return "t.TIMESTAMP_ <= %s"
    if table == "ACT_HI_BATCH":
        return "(t.REMOVAL_TIME_ <= %s AND t.END_TIME_ IS NOT NULL)"
    if table not in _WITH_ROOT:
        return "FALSE"
    running = "SELECT 1 FROM ACT_HI_PROCINST r WHERE r.ID_ = t.ROOT_PROC_INST_ID_ AND r.END_TIME_ IS NULL"
    conditions = ["t.REMOVAL_TIME_ <= %s", f"NOT EXISTS ({running})"]
    if table == "ACT_GE_BYTEARRAY":
        conditions += [
            f"NOT EXISTS (SELECT 1 FROM {user} u WHERE u.{column} = t.ID_)"
            for user, column in _NEEDED_BYTES.items()
        ]
    return f"({' AND '.join(conditions)})"


def _parameters(
    condition: str, now: datetime, zone: str, task_metrics_ttl: timedelta | None
) -> list[datetime]:
    """Bind now as the wall clock of the engine's zone; task metrics are as old as their own TTL allows."""
    if "%s" not in condition:
        return []
    if "TIMESTAMP_" in condition and task_metrics_ttl is not None:
        now -= task_metrics_ttl
    return [now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)]


def _digest(cursor: Any, kind: str, table: str) -> str:
    """SQL for a number that stands for a whole row."""
    if kind == "postgresql":
        return "('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint"
    columns = ", ".join(f"coalesce(md5(t.{column}), '-')" for column in _columns(cursor, table))
    return f"CAST(conv(substr(md5(concat_ws('|', {columns})), 1, 15), 16, 10) AS unsigned)"


def _columns(cursor: Any, table: str) -> Iterator[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = database() AND table_name = %s ORDER BY ordinal_position",
        (table,),
    )
    yield from (name for (name,) in cursor.fetchall())


def keep_for_an_hour(url: str, now: datetime) -> None:
    """Rows that would expire while the test runs expire later: the processes go by the real clock."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = current_schema AND column_name = 'removal_time_'"
        )
        wall = now.replace(tzinfo=None)
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"UPDATE {table} SET removal_time_ = removal_time_ + interval '1 hour'"
                " WHERE removal_time_ > %s AND removal_time_ < %s",
                (wall, wall + timedelta(hours=1)),
            )
