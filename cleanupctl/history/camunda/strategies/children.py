"""What belongs to an instance and stays, so that the instance has to: children go before their root."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import KEY, REMOVAL_TIME, ROOT
from cleanupctl.history.camunda.schema.tables import CHILD_TABLES, DECISIONS
from cleanupctl.history.databases.conditions import Condition, both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.databases.cutoff import Cutoff


def children_guards(schema: Schema, name: str, look_at: Cutoff | None = None) -> Iterator[Condition]:
    """Keep what has rows left in tables that others point at: a child that stays keeps its root.

    A run asks after its children have been deleted; a look at a moment asks which of them will stay.
    """
    for child in CHILD_TABLES:
        table = schema.tables.get(child.name)
        if table is None or all(one.action != "restrict" for one in table.references):
            continue
        stays = Condition("1 = 1") if look_at is None else _stays(schema, child.name, look_at)
        joins = [(child.root, ROOT)] if child.root else []
        joins += [(child.decision, KEY)] if child.decision and name == DECISIONS else []
        for theirs, ours in joins:
            if schema.has(child.name, theirs) and schema.has(name, ours):
                same = f"c.{schema.column(child.name, theirs)} = t.{schema.column(name, ours)}"
                rows = f"{schema.quoted(child.name)} AS c WHERE {same} AND {stays.sql}"
                yield Condition(f"NOT EXISTS (SELECT 1 FROM {rows})", stays.parameters)


def _stays(schema: Schema, name: str, moment: Cutoff) -> Condition:
    """Say that a row `c` will not be deleted: it has not expired, or a foreign key points at it."""
    table = schema.tables[name]
    if not schema.has(name, REMOVAL_TIME):
        return Condition("1 = 1")
    past = schema.database.expired(table.column(REMOVAL_TIME), moment, table, None)
    goes = both((past, *schema.database.references_guard(table)))
    # Here the row is not the one that the guards are about.
    of_child = re.sub(r"\bt\.", "c.", goes.sql)
    return Condition(f"({of_child}) IS NOT TRUE", goes.parameters)
