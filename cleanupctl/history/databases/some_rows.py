"""Deleting some of the rows of a Delete: as many as a transaction may, or those that nobody else holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.errors import LockConflictError, StatementTimeoutError

if TYPE_CHECKING:
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.statements import Delete


def delete_some(
    database: Database, delete: Delete, most_rows: int, *, skip_locked: bool = False
) -> tuple[int, bool]:
    """Delete `most_rows` of the rows, in any order; those of other transactions can be skipped.

    Fewer where others go along with them. Return how many, and whether there may be more.
    """
    limit = most_rows
    while True:
        rows = database.delete(replace(delete, limit=limit, skip_locked=skip_locked), most_rows)
        if rows is not None:
            return rows, rows == limit
        if limit <= 1:
            return 0, False
        limit = max(1, limit // 4)


def delete_unlocked(
    database: Database, delete: Delete, most_rows: int, error: LockConflictError
) -> tuple[int, bool]:
    """Delete what other sessions leave free, after one of them was in the way.

    Return likewise. Raise the error again where the server cannot pass rows over, or waited for nobody.
    """
    if isinstance(error, StatementTimeoutError) or not database.passes_over_locked:
        raise error
    try:
        database.address_of(delete.table)
    except HistoryError:
        # Without a key one row cannot be told from another.
        raise error from None
    return delete_some(database, delete, most_rows, skip_locked=True)
