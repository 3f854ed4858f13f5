"""A table of the engine cut into pieces by its primary key, so that each statement's work is bounded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.errors import LockConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.databases.statements import Statement

ATTEMPTS = 5
"""How often a statement is tried while other transactions are in the way, each time some seconds long."""


def change(schema: Schema, statement: Statement) -> int:
    """Execute a statement as a transaction of its own; return the number of rows.

    Conflicts with the engine's transactions are tried again. Raise HistoryError.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return sum(schema.database.transact((statement,), sys.maxsize) or ())
        except LockConflictError:
            continue
    return sum(schema.database.transact((statement,), sys.maxsize) or ())


def key_ranges(schema: Schema, name: str, size: int) -> Iterator[Condition]:
    """Yield conditions that hold for `size` rows each and together for every row of a table."""
    key, table = schema.column(name, "ID_"), schema.quoted(name)
    last: str | None = None
    while True:
        after, values = ("", ()) if last is None else (f" WHERE t.{key} > %s", (last,))
        piece = f"SELECT t.{key} AS id FROM {table} AS t{after} ORDER BY t.{key} LIMIT {int(size)}"
        upper = schema.database.query(f"SELECT max(id) FROM ({piece}) AS piece", values)[0][0]
        if upper is None:
            return
        if last is None:
            yield Condition(f"t.{key} <= %s", (upper,))
        else:
            yield Condition(f"t.{key} > %s AND t.{key} <= %s", (last, upper))
        last = upper
