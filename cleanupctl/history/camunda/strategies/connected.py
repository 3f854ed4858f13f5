"""Process trees and cases that call each other: what of them nothing on a row leads to, by removal time.

A tree names its root on every row; what a case has called is a tree of its own, and so is an instance that
names itself and its caller. Where anything of what belongs together has not ended, all of it stays. It is
looked for once: what has ended stays so, and only what runs can call anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import KEY, ROOT
from cleanupctl.history.camunda.schema.ownership import INSTANCE, VALUES
from cleanupctl.history.camunda.schema.tables import (
    CASES,
    DECISIONS,
    ENGINE_TABLES,
    PROCESS_INSTANCES,
    any_row,
)
from cleanupctl.history.camunda.strategies.lookups import lookup
from cleanupctl.history.databases.conditions import Condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.schema.tables import Schema

Node = tuple[str, str]
"""A tree by the table of processes and the id of its root, or a case by its table and its id."""

_CASE = "CASE_INST_ID_"
_SUPER, _SUPER_CASE = "SUPER_PROCESS_INSTANCE_ID_", "SUPER_CASE_INSTANCE_ID_"
_END, _CLOSED = "END_TIME_", "CLOSE_TIME_"


@dataclass(frozen=True, slots=True)
class Connected:
    """Ids of what belongs to something that has not ended: roots of trees, and cases."""

    roots: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()


def connected(schema: Schema) -> Connected:
    """Return what has to stay because of links that rows of a tree do not have; asked once for a schema."""
    return schema.once(Connected, lambda: _look(schema))


def connected_guards(schema: Schema, name: str) -> Iterator[Condition]:
    """Yield what holds for the rows of a table that belong to nothing of that kind."""
    kept, table = connected(schema), ENGINE_TABLES[name]
    for columns, ids in (((ROOT, table.owner), kept.roots), ((table.case,), kept.cases)):
        # Rows of engines before 7.10 name no root; their instance is a tree of its own.
        known = [f"t.{schema.column(name, one)}" for one in columns if one and schema.has(name, one)]
        if known and ids:
            yield _none_of(schema, known[0] if len(known) == 1 else f"COALESCE({', '.join(known)})", ids)
    if table in VALUES and kept.cases and schema.has(DECISIONS, _CASE):
        of_case = schema.database.any_of(f"o.{schema.column(DECISIONS, _CASE)}", kept.cases)
        ours = f"t.{schema.column(name, table.decision or '')}"
        yield Condition(
            f"NOT EXISTS (SELECT 1 FROM {schema.quoted(DECISIONS)} AS o"
            f" WHERE o.{schema.column(DECISIONS, KEY)} = {ours} AND {of_case.sql})",
            of_case.parameters,
        )


def _none_of(schema: Schema, column: str, ids: tuple[str, ...]) -> Condition:
    among = schema.database.any_of(column, ids)
    return Condition(f"({column} IS NULL OR NOT {among.sql})", among.parameters)


def _look(schema: Schema) -> Connected:
    if not schema.has(PROCESS_INSTANCES, _END):
        return Connected()
    links = [*_of_cases(schema), *_of_processes(schema)]
    together: dict[Node, set[Node]] = {}
    for one, other in links:
        together.setdefault(one, set()).add(other)
        together.setdefault(other, set()).add(one)
    reached = _unfinished(schema, together)
    layer = set(reached)
    while layer:
        layer = {node for one in layer for node in together.get(one, ())} - reached
        reached |= layer
    roots, cases = (
        tuple(sorted(identity for table, identity in reached if table == of))
        for of in (PROCESS_INSTANCES, CASES)
    )
    return Connected(roots, cases)


def _of_cases(schema: Schema) -> Iterator[tuple[Node, Node]]:
    """Yield cases with what called them; an open one with itself where nothing did."""
    if not _has_cases(schema):
        return
    case, closed = (f"c.{schema.column(CASES, one)}" for one in (_CASE, _CLOSED))
    above, parent = (
        f"c.{schema.column(CASES, one)}" if schema.has(CASES, one) else "NULL"
        for one in (_SUPER, _SUPER_CASE)
    )
    instance = f"p.{schema.column(PROCESS_INSTANCES, INSTANCE)}"
    root = _root(schema, "p")
    sql = (
        f"SELECT {case}, COALESCE({root}, {above}), {parent} FROM {schema.quoted(CASES)} AS c"
        f" LEFT JOIN {schema.quoted(PROCESS_INSTANCES)} AS p ON {instance} = {above}"
        f" WHERE {closed} IS NULL OR {above} IS NOT NULL OR {parent} IS NOT NULL"
    )
    for identity, tree, parent_case in schema.database.query(sql):
        own = (CASES, str(identity))
        yield own, own if tree is None else (PROCESS_INSTANCES, str(tree))
        if parent_case is not None:
            yield own, (CASES, str(parent_case))


def _of_processes(schema: Schema) -> Iterator[tuple[Node, Node]]:
    """Yield trees with the cases that called them, and those that run with the tree of their caller."""
    links = [one for one in (_SUPER_CASE, _CASE) if schema.has(PROCESS_INSTANCES, one)]
    if links and _has_cases(schema):
        columns = [f"t.{schema.column(PROCESS_INSTANCES, one)}" for one in links]
        given = " OR ".join(f"{one} IS NOT NULL" for one in columns)
        for tree, *cases in _rows(schema, (_root(schema, "t"), *columns), given):
            yield from (
                ((PROCESS_INSTANCES, str(tree)), (CASES, str(one))) for one in cases if one is not None
            )
    if schema.has(PROCESS_INSTANCES, _SUPER):
        identity, above = (f"t.{schema.column(PROCESS_INSTANCES, one)}" for one in (INSTANCE, _SUPER))
        alone = f"{_root(schema, 't')} = {identity} AND {above} IS NOT NULL"
        runs = f"t.{schema.column(PROCESS_INSTANCES, _END)} IS NULL"
        for tree, caller in _rows(schema, (identity, above), f"{runs} AND {alone}"):
            yield (PROCESS_INSTANCES, str(tree)), (PROCESS_INSTANCES, _root_of(schema, str(caller)))


def _has_cases(schema: Schema) -> bool:
    return schema.has(CASES, _CLOSED) and any_row(schema, CASES, "1 = 1")


def _rows(schema: Schema, columns: tuple[str, ...], where: str) -> list[tuple[object, ...]]:
    sql = f"SELECT {', '.join(columns)} FROM {schema.quoted(PROCESS_INSTANCES)} AS t WHERE {where}"
    return schema.database.query(sql)


def _root(schema: Schema, alias: str) -> str:
    """Return the root of a row as an expression: itself where it names none."""
    own = f"{alias}.{schema.column(PROCESS_INSTANCES, INSTANCE)}"
    if not schema.has(PROCESS_INSTANCES, ROOT):
        return own
    return f"COALESCE({alias}.{schema.column(PROCESS_INSTANCES, ROOT)}, {own})"


def _root_of(schema: Schema, instance: str) -> str:
    column = ROOT if schema.has(PROCESS_INSTANCES, ROOT) else INSTANCE
    found = list(lookup(schema, PROCESS_INSTANCES, (column,), INSTANCE, [instance]))
    return str(found[0][0]) if found and found[0][0] is not None else instance


def _unfinished(schema: Schema, nodes: dict[Node, set[Node]]) -> set[Node]:
    """Return those that have not ended: open cases, and trees in which an instance runs."""
    found: set[Node] = set()
    for table, columns, end in (
        (CASES, (_CASE,), _CLOSED),
        (PROCESS_INSTANCES, (ROOT, INSTANCE), _END),
    ):
        ids = sorted(identity for of, identity in nodes if of == table)
        for column in columns:
            if ids and schema.has(table, column):
                runs = f"t.{schema.column(table, end)} IS NULL"
                found |= {(table, str(one)) for (one,) in lookup(schema, table, (column,), column, ids, runs)}
    return found
