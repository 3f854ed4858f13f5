"""Reading rows of the engine's tables by lists of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.cleaning.cascade import MOST_IDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from cleanupctl.history.camunda.schema.tables import Schema


def existing(schema: Schema, table: str, key: str, ids: Iterable[str]) -> set[str]:
    """Return those ids that a table has."""
    if not schema.has(table, key):
        return set()
    return {found for (found,) in lookup(schema, table, (key,), key, list(ids))}


def lookup(
    schema: Schema, table: str, columns: tuple[str, ...], by: str, ids: Sequence[str], where: str = "1 = 1"
) -> Iterator[tuple[Any, ...]]:
    """Read columns of the rows whose column `by` is one of the ids."""
    wanted = ", ".join(f"t.{schema.column(table, name)}" for name in columns)
    for start in range(0, len(ids), MOST_IDS):
        condition = schema.database.any_of(f"t.{schema.column(table, by)}", ids[start : start + MOST_IDS])
        sql = f"SELECT {wanted} FROM {schema.quoted(table)} AS t WHERE {condition.sql} AND {where}"
        yield from schema.database.query(sql, condition.parameters)
