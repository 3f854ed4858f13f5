"""What keeps rows of a tree, or of a batch operation, in which anything runs: the delete itself asks.

Whatever has ended stays so, and only something that runs can start something else in its tree. So a statement
that sees a row and everything that runs at the same moment decides for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import KEY, ROOT
from cleanupctl.history.camunda.schema.ownership import INSTANCE, VALUES
from cleanupctl.history.camunda.schema.tables import (
    AUTHORIZATIONS,
    BATCHES,
    BYTE_ARRAYS,
    DECISIONS,
    ENGINE_TABLES,
    JOB_LOG,
    PROCESS_INSTANCES,
    TASK_INSTANCES,
    any_row,
)
from cleanupctl.history.databases.conditions import Condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.schema.tables import Schema

_END, _BATCH = "END_TIME_", "BATCH_ID_"


_MANY = 1_000
"""Rows without a root that are looked at before a table counts as one that has expired ones."""


def unfinished_guards(schema: Schema, name: str, expired: Condition | None = None) -> tuple[Condition, ...]:
    """Return what holds for the rows of a table that belong to nothing which has not ended.

    Where none of the `expired` rows lacks the root of its tree, those that do are left to another run: what
    they belong to takes several look-ups to find, and the server plans all of them for each batch.
    """
    if expired is not None and _all_in_trees(schema, name, expired):
        rooted = Condition(f"t.{schema.column(name, ROOT)} IS NOT NULL")
        return (rooted, *_of_roots(schema, name))
    return (*_of_trees(schema, name), *_of_batches(schema, name))


def _all_in_trees(schema: Schema, name: str, expired: Condition) -> bool:
    """Return whether every expired row of a table names its root, as far as that is quickly seen.

    What belongs to a batch operation names none, apart from rows that name their batch themselves.
    """
    if not schema.database.plans_each_look_up:
        return False
    named = [column for column in (ENGINE_TABLES[name].batch, _BATCH) if column]
    if not _rooted(schema, name) or any(schema.has(name, column) for column in named):
        return False
    table, root = schema.tables[name], schema.column(name, ROOT)
    if table.column(ROOT).name not in table.indexed:
        return False
    rows = f"SELECT * FROM {schema.quoted(name)} AS t WHERE t.{root} IS NULL LIMIT {_MANY}"
    sql = f"SELECT count(*), count(CASE WHEN {expired.sql} THEN 1 END) FROM ({rows}) AS t"
    seen, found = schema.database.query(sql, expired.parameters)[0]
    return bool(seen < _MANY and not found)


def _rooted(schema: Schema, name: str) -> bool:
    return schema.has(name, ROOT) and schema.has(PROCESS_INSTANCES, ROOT)


def _of_trees(schema: Schema, name: str) -> Iterator[Condition]:
    if not schema.has(PROCESS_INSTANCES, _END):
        return
    unless = ""
    if _rooted(schema, name):
        yield from _of_roots(schema, name)
        unless = f"t.{schema.column(name, ROOT)} IS NOT NULL OR "
    for rows in _by_owner(schema, name):
        yield _none(schema, f"{rows} AND {_runs(schema)}", unless)


def _of_roots(schema: Schema, name: str) -> Iterator[Condition]:
    """Yield what holds for rows whose root has nothing below it that runs."""
    root = f"t.{schema.column(name, ROOT)}"
    yield _none(schema, f"{_instances(schema)} WHERE {_of(schema, ROOT)} = {root} AND {_runs(schema)}")
    if schema.once("an instance runs without a root", lambda: _runs_without_root(schema)):
        # As engines before 7.10 started it; none of today starts another one.
        yield _none(
            schema, f"{_instances(schema)} WHERE {_of(schema, INSTANCE)} = {root} AND {_runs(schema)}"
        )


def _by_owner(schema: Schema, name: str) -> Iterator[str]:
    """Yield how the process instance of a row that does not name its root is found."""
    table = ENGINE_TABLES[name]
    if name == PROCESS_INSTANCES:
        return
    if table.owner and schema.has(name, table.owner):
        yield f"{_instances(schema)} WHERE {_of(schema, INSTANCE)} = t.{schema.column(name, table.owner)}"
    elif name == AUTHORIZATIONS:
        yield f"{_instances(schema)} WHERE {_of(schema, INSTANCE)} = t.{schema.column(name, 'RESOURCE_ID_')}"
    owners = [(TASK_INSTANCES, table.task)] if table.task_alone else []
    owners += [(DECISIONS, table.decision)] if table in VALUES else []
    for owner, column in owners:
        if column and schema.has(name, column) and schema.has(owner, INSTANCE):
            instance, key = schema.column(owner, INSTANCE), schema.column(owner, KEY)
            joined = f"JOIN {schema.quoted(owner)} AS o ON o.{instance} = {_of(schema, INSTANCE)}"
            yield f"{_instances(schema)} {joined} WHERE o.{key} = t.{schema.column(name, column)}"


def _of_batches(schema: Schema, name: str) -> Iterator[Condition]:
    """Yield what holds for rows that belong to no batch operation which has not ended."""
    if not schema.has(BATCHES, _END):
        return
    table, batches = ENGINE_TABLES[name], f"{schema.quoted(BATCHES)} AS b"
    running = f"b.{schema.column(BATCHES, _END)} IS NULL"
    # Asked once for each statement: mostly there is none, and nothing else is asked. Where that may be out of
    # date at the next row it is left out, or asked in two statements: when rows are locked and once they are.
    any_running = f"{batches} WHERE {running}"
    identity = f"b.{schema.column(BATCHES, KEY)}"
    found = [
        f"{batches} WHERE {identity} = t.{schema.column(name, column)}"
        for column in (table.batch, _BATCH)
        if column and schema.has(name, column)
    ]
    if table.job_definition and schema.has(name, table.job_definition):
        ours = f"t.{schema.column(name, table.job_definition)}"
        theirs = [column for column in ENGINE_TABLES[BATCHES].job_definitions if schema.has(BATCHES, column)]
        found += [f"{batches} WHERE b.{schema.column(BATCHES, column)} = {ours}" for column in theirs]
    if name == BYTE_ARRAYS and schema.has(JOB_LOG, ENGINE_TABLES[JOB_LOG].batch or ""):
        found += [
            f"{schema.quoted(JOB_LOG)} AS j JOIN {batches} ON"
            f" {identity} = j.{schema.column(JOB_LOG, ENGINE_TABLES[JOB_LOG].batch or '')}"
            f" WHERE j.{schema.column(JOB_LOG, column)} = t.{schema.column(BYTE_ARRAYS, KEY)}"
            for column in ENGINE_TABLES[JOB_LOG].byte_arrays
        ]
    for rows in found:
        none, such = _none(schema, any_running), _none(schema, f"{rows} AND {running}")
        if schema.database.reads_older and table.job_definition is None:
            yield such
            continue
        yield Condition(f"({none.sql} OR {such.sql})")


def _none(schema: Schema, rows: str, unless: str = "") -> Condition:
    """Say that there are no such rows; a statement that deletes asks what is committed by then."""
    plain, current = f"NOT EXISTS (SELECT 1 FROM {rows})", schema.database.none_current(rows)
    if unless:
        plain, current = (f"({unless}{one})" for one in (plain, current))
    return Condition(plain, current=current)


def _instances(schema: Schema) -> str:
    return f"{schema.quoted(PROCESS_INSTANCES)} AS r"


def _of(schema: Schema, column: str) -> str:
    return f"r.{schema.column(PROCESS_INSTANCES, column)}"


def _runs(schema: Schema) -> str:
    return f"{_of(schema, _END)} IS NULL"


def _runs_without_root(schema: Schema) -> bool:
    end, root = (f"t.{schema.column(PROCESS_INSTANCES, one)}" for one in (_END, ROOT))
    return any_row(schema, PROCESS_INSTANCES, f"{end} IS NULL AND {root} IS NULL")
