"""What is wrong with an engine's history: tables, indexes, privileges, and what keeps rows from expiring."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.camunda.check.data import fit
from cleanupctl.history.camunda.check.engine_cleanup import engine_cleanup
from cleanupctl.history.camunda.schema.engine_table import Part
from cleanupctl.history.camunda.schema.tables import (
    CASE_TABLES,
    CLEANED,
    DEFINITION_TABLES,
    ENGINE_TABLES,
    JOBS,
    OPTIONAL,
    PREFIX,
    PROCESS_INSTANCES,
    PROPERTIES,
    SCHEMA_LOG,
    Schema,
    engine_tables,
    tables_of,
)
from cleanupctl.history.camunda.schema.visibility import Visibility
from cleanupctl.history.databases import checks
from cleanupctl.history.databases.dependents import ALLOW
from cleanupctl.history.databases.findings import Checked, Finding
from cleanupctl.history.databases.time_column import TimeColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleanupctl.history.camunda.check.inspected import InspectedEngine
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.findings import Severity

_READ_ONLY = tuple(
    dict.fromkeys(
        (*DEFINITION_TABLES, PROPERTIES, SCHEMA_LOG, JOBS, *(one.name for one in tables_of(Part.RUNTIME)))
    )
)
_FIRST_WITH_REMOVAL_TIME = (7, 10)


def check(inspected: InspectedEngine) -> Checked:
    """Check an engine's history. Raise HistoryUnreachableError."""
    name, settings = inspected.settings.name, inspected.settings
    wanted = (*CLEANED, *CASE_TABLES, *_READ_ONLY)
    try:
        tables = engine_tables(inspected.database, settings, wanted)
    except HistoryError as error:
        return Checked(name, None, (Finding("error", None, error.message, "correct schema or table_prefix"),))
    schema = Schema(tables, inspected.database)
    version = _version(schema)
    return Checked(name, version, checks.collected(_checks(inspected, schema, version)))


def _checks(
    inspected: InspectedEngine, schema: Schema, version: str | None
) -> Iterator[tuple[str, Callable[[], Iterator[Finding]]]]:
    yield "the tables", lambda: _missing_tables(inspected, schema)
    if PROCESS_INSTANCES not in schema.tables:
        return
    yield "whether the server can be written to", inspected.database.read_only
    yield "the schema's version", lambda: _versions(inspected, version)
    for name in inspected.strategy.checked:
        if name in schema.tables:
            yield name, partial(_table, inspected, schema, name)
    yield "what is only read", lambda: _sight(inspected, schema)
    yield "the clock", lambda: _newest(inspected, schema)
    yield "the rows", lambda: fit(inspected, schema)
    yield "the engine's own cleanup", lambda: engine_cleanup(inspected, schema)
    cleaned = [schema.tables[name] for name in CLEANED if name in schema.tables]
    yield "autovacuum", lambda: inspected.database.vacuum(cleaned)
    yield "long transactions", lambda: inspected.database.long_transactions(inspected.long_transaction)


def _missing_tables(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    settings, database = inspected.settings, inspected.database
    for name in (*CLEANED, *CASE_TABLES, *DEFINITION_TABLES):
        if name in schema.tables:
            continue
        full = settings.table_prefix + name
        if database.may_be_hidden(full, settings.schema):
            missing = ["SELECT", "DELETE"] if name not in DEFINITION_TABLES else ["SELECT"]
            yield checks.denied(database, full, database.place(full, settings.schema), missing)
            continue
        if name == PROCESS_INSTANCES:
            yield Finding(
                "error",
                full,
                f"there is no table {full}: this is no engine's database, or not the right schema",
                _elsewhere(inspected, full) or "correct url, schema or table_prefix of the history",
            )
        elif name in OPTIONAL:
            yield Finding("hint", full, f"there is no table {full}: this engine has no such history")
        else:
            remedy = "bring the schema up to date with the engine's scripts"
            yield Finding("warning", full, f"there is no table {full}; the others are cleaned", remedy)


def _sight(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    """Find tables that are asked what still needs a row, and that the login cannot read."""
    settings = inspected.settings
    seen = Visibility(inspected.database, settings.table_prefix, settings.schema, schema.tables)
    parts: tuple[tuple[Part, Severity], ...] = ((Part.DEFINITION, "error"), (Part.RUNTIME, "warning"))
    for part, severity in parts:
        tables = [one for one in tables_of(part) if one.name in schema.tables or part is Part.RUNTIME]
        for one in seen.denied(tables):
            yield Finding(severity, one.table, one.message, one.remedy)


def _elsewhere(inspected: InspectedEngine, name: str) -> str | None:
    """Return in which schemas a table is that was not found where it should be."""
    schemas = inspected.database.schemas_with(name)
    return f'it is in {", ".join(schemas)}: set schema = "{schemas[0]}"' if schemas else None


def _version(schema: Schema) -> str | None:
    """Read the engine's version from its log of schema changes, else from its properties."""
    if SCHEMA_LOG in schema.tables:
        version = schema.column(SCHEMA_LOG, "VERSION_")
        order = schema.column(SCHEMA_LOG, "TIMESTAMP_")
        key = schema.column(SCHEMA_LOG, "ID_")
        rows = _rows(
            schema,
            f"SELECT {version}, {key} FROM {schema.quoted(SCHEMA_LOG)} ORDER BY {order} DESC, {key} DESC",
        )
        if rows:
            return str(max(rows, key=lambda row: _numbers(str(row[0])))[0])
    if PROPERTIES in schema.tables:
        value, name = schema.column(PROPERTIES, "VALUE_"), schema.column(PROPERTIES, "NAME_")
        rows = _rows(
            schema, f"SELECT {value} FROM {schema.quoted(PROPERTIES)} WHERE {name} = 'schema.version'"
        )
        if rows:
            return str(rows[0][0])
    return None


def _rows(schema: Schema, sql: str) -> list[tuple[object, ...]]:
    """Read a table that the history can do without: nothing when the user may not read it."""
    try:
        return list(schema.database.query(sql))
    except HistoryError:
        return []


def _versions(inspected: InspectedEngine, version: str | None) -> Iterator[Finding]:
    if version is None:
        yield Finding(
            "warning",
            PROPERTIES,
            "the engine's schema version is not recorded: nobody can tell which engine these tables are for",
            f"grant SELECT on {PROPERTIES} and {SCHEMA_LOG}, or restore their rows",
        )
    elif inspected.strategy.by_instance:
        return
    elif _numbers(version) and _numbers(version) < _FIRST_WITH_REMOVAL_TIME:
        yield Finding(
            "warning",
            None,
            f"the schema is of version {version}; removal times came with 7.10",
            'update the engine, or set strategy = "end-time"',
        )


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split("-", maxsplit=1)[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


def _table(inspected: InspectedEngine, schema: Schema, name: str) -> Iterator[Finding]:
    table = schema.tables[name]
    if name == PROCESS_INSTANCES:
        yield from inspected.database.schema_usage(table)
    yield from checks.privileges(inspected, table)
    yield from checks.storage(inspected, table)
    yield from checks.rows_along(inspected.database, table)
    yield from _foreign_keys(inspected, table)
    unfit = list(inspected.strategy.check_table(schema, name))
    yield from unfit
    if unfit:
        # An index on such a column would be of no use.
        return
    for column in inspected.strategy.required_indexes(name):
        yield from checks.index(inspected, table, column, ENGINE_TABLES[name].indexes[column])


def _foreign_keys(inspected: InspectedEngine, table: Table) -> Iterator[Finding]:
    """Yield the foreign keys of tables that are not the engine's, and that no engine takes care of."""
    engines = f"{inspected.settings.table_prefix}{PREFIX}".lower()
    for reference in table.references:
        name = reference.name
        if reference.action != "restrict" or name.rsplit(".", maxsplit=1)[-1].lower().startswith(engines):
            continue
        yield Finding(
            "warning",
            table.name,
            f"a foreign key of {name} points at it: {inspected.strategy.keeps_referenced}",
            f"remove old rows of {name} first, or give the foreign key ON DELETE SET NULL or CASCADE and set"
            f" {ALLOW} for the history",
        )


def _newest(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    if schema.has(PROCESS_INSTANCES, "START_TIME_"):
        table = schema.tables[PROCESS_INSTANCES]
        column = table.column("START_TIME_")
        zone = inspected.settings.timezone
        yield from checks.newest(TimeColumn(inspected.database, table, column, None, zone, inspected.now))
