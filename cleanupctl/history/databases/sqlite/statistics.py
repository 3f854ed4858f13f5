"""How SQLite's rows lie: looked at in samples of the time index, to choose the access path."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cleanupctl.history.databases.database import DENSE_SHARE

if TYPE_CHECKING:
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.target import Target

SAMPLE_ROWS = 2_000
NEAR_ROWS = 32
"""Rows whose numbers differ by this little mostly lie on the same page or the next one."""
NEAR_SHARE = 0.9
SMALLEST = float("-inf")
"""Smaller than every value but NULL, which comes first in an index."""


def dense_rows(database: Database, target: Target) -> int:
    """Return how many expired rows make the table dense, from the span of its row numbers."""
    rows = database.qualified(target.table)
    # Each end by itself: asked for both at once, SQLite reads the whole table.
    number = database.quote(target.table.key[0])
    span = f"SELECT (SELECT max({number}) FROM {rows}) - (SELECT min({number}) FROM {rows}) + 1"
    return int((database.query(span)[0][0] or 1) * DENSE_SHARE) + 1


def reaches(database: Database, target: Target, rows: int) -> bool:
    """Return whether the last of the `rows` rows with the smallest values has expired.

    Steps along the index without a look at what it passes, which is many times faster than counting.
    """
    found = _along_index(database, target, limit=1, offset=rows - 1)
    if not found:
        return False
    row = f"(SELECT %s AS {database.quote(target.time_column.name)}) AS t"
    condition = target.condition
    return bool(
        database.query(f"SELECT 1 FROM {row} WHERE {condition.sql}", (found[0][0], *condition.parameters))
    )


def lies_in_order(database: Database, target: Target) -> bool:
    """Return whether neighbours in the index are near each other in the table: the oldest, and some later on.

    Where a batch would hardly be more than one moment, the index is of no help to find its end.
    """
    return all(
        len(sample) < SAMPLE_ROWS or (sample[0][0] != sample[-1][0] and _near(sample))
        for sample in (
            _along_index(database, target, limit=SAMPLE_ROWS, offset=offset)
            for offset in (0, dense_rows(database, target))
        )
    )


def _near(sample: list[tuple[Any, ...]]) -> bool:
    near = sum(1 for before, after in pairwise(sample) if abs(after[1] - before[1]) <= NEAR_ROWS)
    return near >= NEAR_SHARE * len(sample)


def _along_index(database: Database, target: Target, *, limit: int, offset: int) -> list[tuple[Any, ...]]:
    column, key = (database.quote(name) for name in (target.time_column.name, target.table.key[0]))
    lower = target.condition.lower
    return database.query(
        f"SELECT {column}, {key} FROM {database.qualified(target.table)} WHERE {column} >= %s"
        f" ORDER BY {column} LIMIT %s OFFSET %s",
        (SMALLEST if lower is None else lower, limit, offset),
    )
