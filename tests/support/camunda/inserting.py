"""Single rows in the engine's tables, for tests that need just these."""

from __future__ import annotations

from typing import Any

from tests.support.servers import connect

OLD = "2024-01-10 12:00:00"
"""Long before NOW of `tests.support.cleaning`."""
AHEAD = "2030-01-01 00:00:00"


def insert(url: str, table: str, *identities: str, **values: Any) -> None:
    """Insert a row for each id, all with the same values."""
    columns = ["ID_", *values]
    marks = ", ".join(["%s"] * len(columns))
    with connect(url) as connection, connection.cursor() as cursor:
        for identity in identities:
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", (identity, *values.values())
            )


def instance(url: str, identity: str, *, root: str | None = None, end: str | None = OLD, **more: Any) -> None:
    """Insert a process instance of the definition order:1, which has ended long ago unless `end` differs."""
    values = {
        "PROC_INST_ID_": identity,
        "ROOT_PROC_INST_ID_": root or identity,
        "PROC_DEF_ID_": "order:1",
        "PROC_DEF_KEY_": "order",
        "START_TIME_": OLD,
        "END_TIME_": end,
    }
    insert(url, "ACT_HI_PROCINST", identity, **(values | more))


def definition(url: str, days: int | None, *, decision: bool = False) -> None:
    """Insert the process definition order:1, or the decision rating:1, with its time to live."""
    table, key = ("ACT_RE_DECISION_DEF", "rating") if decision else ("ACT_RE_PROCDEF", "order")
    insert(url, table, f"{key}:1", REV_=1, KEY_=key, VERSION_=1, HISTORY_TTL_=days)


def ids(url: str, table: str) -> set[str]:
    """Return the ids that a table has."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT ID_ FROM {table}")
        return {row[0] for row in cursor.fetchall()}
