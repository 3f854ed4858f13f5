"""What is wrong with a history of kind `tables`: every configured table, looked at as cleanup needs it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.databases import checks
from cleanupctl.history.databases.findings import Checked, Finding
from cleanupctl.history.tables.planner import TablesPlanner
from cleanupctl.history.tables.times import never_set, time_column, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cleanupctl.core.settings import TableSettings, TablesSettings
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.checks import Inspected

CHECKED_ROWS = 50_000
"""Rows at each end of a table whose texts are looked at: a check may take longer than the start of a run."""

Check = tuple[str, "Callable[[], Iterator[Finding]]"]


def check(inspected: Inspected, tables: Iterable[TableSettings]) -> Checked:
    """Check every configured table. Raises HistoryUnreachableError."""
    return Checked(inspected.settings.name, None, checks.collected(_checks(inspected, tables)))


def _checks(inspected: Inspected, tables: Iterable[TableSettings]) -> Iterator[Check]:
    found: list[Table] = []
    yield "whether the server can be written to", inspected.database.read_only
    for configured in tables:
        yield configured.name, partial(_table, inspected, configured, found)
    yield "autovacuum", lambda: inspected.database.vacuum(found)
    yield "long transactions", lambda: inspected.database.long_transactions(inspected.long_transaction)


def _together(inspected: Inspected, configured: TableSettings) -> Iterator[Finding]:
    """Look at a table as a run does, next to the other ones: one named twice, rows that go along."""
    settings = cast("TablesSettings", inspected.settings)
    planned = TablesPlanner(settings).look_up(inspected.database, inspected.now)
    for one in planned:
        if one.settings is not configured:
            continue
        if one.error is not None:
            yield Finding(
                "error", configured.name, one.error.message, "correct the configuration of the table"
            )
        found = (
            finding
            for target in one.targets
            for finding in checks.rows_along(inspected.database, target.table)
        )
        yield from dict.fromkeys(replace(finding, table=configured.name) for finding in found)
        for target in one.targets:
            try:
                inspected.database.scan(target)
            except HistoryUnreachableError:
                raise
            except HistoryError as error:
                remedy = "create a primary key or an index"
                yield Finding("error", configured.name, error.message, remedy)


def _table(inspected: Inspected, configured: TableSettings, found: list[Table]) -> Iterator[Finding]:
    database, settings = inspected.database, inspected.settings
    try:
        table = database.find_table(configured.name, configured.schema or settings.schema)
        if table is None:
            yield Finding(
                "error",
                configured.name,
                f"there is no table {configured.name} in {settings.url}, or its user may not see it",
                "correct name or schema of the table, or grant SELECT and DELETE on it",
            )
            return
        times = time_column(database, table, configured, settings.timezone, inspected.now)
    except HistoryError as error:
        yield Finding("error", configured.name, error.message, "correct the configuration of the table")
        return
    found.append(table)
    yield from inspected.database.schema_usage(table)
    yield from checks.privileges(inspected, table)
    column = times.column.name
    yield from checks.index(inspected, table, column, f"{table.name}_{column}_idx")
    yield from checks.storage(inspected, table)
    yield from _together(inspected, configured)
    yield from checks.newest(times)
    for message, remedy in unreadable(times, CHECKED_ROWS):
        yield Finding("warning", table.name, message, remedy)
    for message, remedy in never_set(times, configured):
        yield Finding("hint", table.name, message, remedy)
