"""Which tables have rows that name their instance but not its root, as engines before 7.10 wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import ROOT, Part
from cleanupctl.history.camunda.schema.tables import AUTHORIZATIONS, CHILD_TABLES, DECISIONS, ENGINE_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.schema.tables import Schema

MOST_LOOKED_AT = 10_000
"""Rows without a root that are looked at; where there are more, some of them may belong to an instance."""
TASK_PERMISSION, INSTANCE_PERMISSION = 19, 20
"""Resource types of authorizations for one historic task and for one historic process instance."""


def unrooted_tables(schema: Schema) -> frozenset[str]:
    """Return the tables with a row that belongs to an instance and does not name its root.

    All others need not be searched by instance. An index leads to the rows without a root; the tables of
    old engines have no column for it (those before 7.10; authorizations got theirs later).
    """
    names = (*(one.name for one in CHILD_TABLES if one.part is Part.CHILD), DECISIONS, AUTHORIZATIONS)
    return frozenset(name for name in names if not schema.has(name, ROOT) or _has_unrooted(schema, name))


def _has_unrooted(schema: Schema, name: str) -> bool:
    owned = " OR ".join(_owned(schema, name)) or "1 = 1"
    inner = (
        f"SELECT CASE WHEN {owned} THEN 1 ELSE 0 END AS owned FROM {schema.quoted(name)} AS t"
        f" WHERE t.{schema.column(name, ROOT)} IS NULL LIMIT {MOST_LOOKED_AT}"
    )
    seen, owned_ones = schema.database.query(f"SELECT count(*), max(owned) FROM ({inner}) AS s")[0]
    return bool(owned_ones) or seen >= MOST_LOOKED_AT


def _owned(schema: Schema, name: str) -> Iterator[str]:
    """Yield what is true for a row that belongs to a process instance or to one of its tasks."""
    if name == AUTHORIZATIONS:
        kind = schema.column(name, "RESOURCE_TYPE_")
        yield f"t.{kind} IN ({TASK_PERMISSION}, {INSTANCE_PERMISSION})"
        return
    for column in (ENGINE_TABLES[name].owner, ENGINE_TABLES[name].task):
        if column is not None and schema.has(name, column):
            yield f"t.{schema.column(name, column)} IS NOT NULL"
