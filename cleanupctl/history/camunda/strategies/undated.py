"""Rows without a removal time that belong to what has one: contents go along, all others keep their root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import KEY, REMOVAL_TIME, ROOT
from cleanupctl.history.camunda.schema.ownership import WITH_BYTE_ARRAYS
from cleanupctl.history.camunda.schema.tables import (
    BYTE_ARRAYS,
    ENGINE_TABLES,
    OF_PROCESSES,
    PROCESS_INSTANCES,
)
from cleanupctl.history.cleaning.tasks import TableTask
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.key_scans import PrimaryKeyScan
from cleanupctl.history.databases.shared_scan import SharedScan
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cleanupctl.history.camunda.schema.engine_table import EngineTable
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.databases.cutoff import Cutoff
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.scan import BatchSource

LOOKED_AT = 1_000
"""Rows of a table without a removal time that are looked at."""
_INSTANCE, _END = "PROC_INST_ID_", "END_TIME_"
_HISTORY_BYTES = 3
"""TYPE_ of byte arrays that belong to the history."""


class ContentsTask(TableTask):
    """Byte arrays without a removal time, to which a row refers whose removal time is past."""

    def begin(self, database: Database) -> BatchSource:
        """Look at every row once: it is done only where there is one."""
        return PrimaryKeyScan(database, SharedScan(self.target, None))

    def estimate(self, database: Database) -> None:
        """Say nothing: no statistics know how many there are."""


def contents_without_time(
    schema: Schema, moment: Cutoff, guards: tuple[Condition, ...], *, include_unfinished: bool
) -> Iterator[ContentsTask]:
    """Yield what deletes contents before the rows that refer to them; `guards` are those of byte arrays.

    One for each column that refers to some: the server can then begin with the few rows that have expired.

    Engines before 7.18.11 and 7.19.6 wrote no removal time on the stack traces of their own cleanup, and a
    removal time that is filled in by hand is often forgotten there. Without a removal time of their own they
    stay with a row that has none, as on a hold.
    """
    if not schema.has(BYTE_ARRAYS, REMOVAL_TIME):
        return
    own = f"t.{schema.column(BYTE_ARRAYS, REMOVAL_TIME)} IS NULL"
    if schema.has(BYTE_ARRAYS, "TYPE_"):
        kind = f"t.{schema.column(BYTE_ARRAYS, 'TYPE_')}"
        own += f" AND ({kind} = {_HISTORY_BYTES} OR {kind} IS NULL)"
    table = schema.tables[BYTE_ARRAYS]
    for described in WITH_BYTE_ARRAYS + _values():
        for column, referring in _referring(schema, described, moment, include_unfinished=include_unfinished):
            condition = both((Condition(own), referring))
            part = f"without removal time, of {described.name}.{column}"
            yield ContentsTask(Target(table, table.column(REMOVAL_TIME), condition, guards, part=part))


def _values() -> tuple[EngineTable, ...]:
    return tuple(one for one in ENGINE_TABLES.values() if one.decision and one.byte_arrays)


def _referring(
    schema: Schema, described: EngineTable, moment: Cutoff, *, include_unfinished: bool
) -> Iterator[tuple[str, Condition]]:
    """Yield by column that a row refers to the byte array `t` and is going to be deleted."""
    name = described.name
    if not schema.has(name, REMOVAL_TIME) or schema.tables[name].references:
        # What a table of others points at may stay.
        return
    table = schema.tables[name]
    past = schema.database.expired(table.column(REMOVAL_TIME), moment, table, None)
    removal = schema.column(name, REMOVAL_TIME)
    running = "" if include_unfinished else "".join(_ended(schema, described))
    for column in described.byte_arrays:
        if not schema.has(name, column):
            continue
        reference = schema.column(name, column)
        along = ""
        if table.column(column).name not in table.indexed:
            # Without an index each row would cost a scan; that of the root leads to it as well.
            if not (described.root and schema.has(name, ROOT) and schema.has(BYTE_ARRAYS, ROOT)):
                continue
            along = f" AND c.{schema.column(name, ROOT)} = t.{schema.column(BYTE_ARRAYS, ROOT)}"
        refers = (
            f"EXISTS (SELECT 1 FROM {schema.quoted(name)} AS c WHERE"
            f" c.{reference} = t.{schema.column(BYTE_ARRAYS, KEY)}"
            f" AND {past.sql.replace(f't.{removal}', f'c.{removal}')}{along}{running})"
        )
        yield column, Condition(refers, past.parameters)


def _ended(schema: Schema, described: EngineTable) -> Iterator[str]:
    end = f"r.{schema.column(PROCESS_INSTANCES, _END)}"
    for ours in (described.owner, described.root):
        for theirs in (_INSTANCE, ROOT):
            if ours and schema.has(described.name, ours) and schema.has(PROCESS_INSTANCES, theirs):
                yield (
                    f" AND NOT EXISTS (SELECT 1 FROM {schema.quoted(PROCESS_INSTANCES)} AS r"
                    f" WHERE r.{schema.column(PROCESS_INSTANCES, theirs)}"
                    f" = c.{schema.column(described.name, ours)} AND {end} IS NULL)"
                )


def rows_left_behind(schema: Schema, moment: Cutoff) -> dict[str, int]:
    """Count rows without a removal time whose root instance has ended and is past its own, by table.

    Names of tables are without prefix. Whole instances are all looked at, as a hold leaves them; of what
    belongs to one the first rows of each table, as they lie where a table was forgotten. Asked once for a
    schema.
    """
    return schema.once((rows_left_behind, moment), lambda: dict(_left_behind(schema, moment)))


def _left_behind(schema: Schema, moment: Cutoff) -> Iterator[tuple[str, int]]:
    if not schema.has(PROCESS_INSTANCES, REMOVAL_TIME):
        return
    instances = schema.tables[PROCESS_INSTANCES]
    past = schema.database.expired(instances.column(REMOVAL_TIME), moment, instances, None)
    instance, end = (f"t.{schema.column(PROCESS_INSTANCES, one)}" for one in (_INSTANCE, _END))
    for name in _names_root(schema):
        root, removal = (f"c.{schema.column(name, one)}" for one in (ROOT, REMOVAL_TIME))
        bound = "" if name == PROCESS_INSTANCES else f" LIMIT {LOOKED_AT}"
        some = (
            f"SELECT {root} AS root FROM {schema.quoted(name)} AS c WHERE {removal} IS NULL"
            f" AND {root} IS NOT NULL{bound}"
        )
        sql = (
            f"SELECT count(*) FROM ({some}) AS s JOIN {schema.quoted(PROCESS_INSTANCES)} AS t"
            f" ON {instance} = s.root WHERE {end} IS NOT NULL AND {past.sql}"
        )
        number = int(schema.database.query(sql, past.parameters)[0][0])
        if number:
            yield name, number


def _names_root(schema: Schema) -> Iterator[str]:
    """Yield the tables whose rows keep their root; contents are kept by what refers to them."""
    for name in OF_PROCESSES:
        if name != BYTE_ARRAYS and schema.has(name, REMOVAL_TIME) and schema.has(name, ROOT):
            yield name


def nothing_undated(schema: Schema, names: Iterable[str] | None = None) -> Iterator[Condition]:
    """Yield what holds for root instances `t` below which every row of some tables has a removal time.

    What stays would belong to nothing without its root, and nobody could tell any more what it is due.
    Without `names` all tables are asked.
    """
    instance = f"t.{schema.column(PROCESS_INSTANCES, _INSTANCE)}"
    for name in _names_root(schema) if names is None else names:
        root, removal = (f"c.{schema.column(name, one)}" for one in (ROOT, REMOVAL_TIME))
        rows = f"{schema.quoted(name)} AS c WHERE {root} = {instance} AND {removal} IS NULL"
        yield Condition(f"NOT EXISTS (SELECT 1 FROM {rows})")


def left_behind_text(schema: Schema, rows: dict[str, int]) -> str:
    """Say which rows have no removal time below a root that is past its own."""
    numbers = ", ".join(f"{number} in {schema.tables[name].name}" for name, number in rows.items())
    return (
        f"rows without a removal time, and with them their root instances, stay although that of the root is"
        f" past ({numbers}): on a hold, or forgotten when removal times were set"
    )
