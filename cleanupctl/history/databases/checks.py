"""The checks that suit every kind of history and every server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.databases.cutoff import as_instant, cutoff
from cleanupctl.history.databases.findings import Finding, span
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from cleanupctl.core.settings import HistorySettings
    from cleanupctl.history.databases.catalogue import Column, Table
    from cleanupctl.history.databases.database import Database

LONG_TRANSACTION = timedelta(minutes=10)
"""From this age on a transaction of another session keeps deleted rows in the tables."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""A newest row this far in the future is not explained by clocks that are not quite the same."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """One history that is being checked, at one moment (aware)."""

    settings: HistorySettings
    database: Database
    now: datetime
    long_transaction: timedelta = LONG_TRANSACTION


def collected(checks: Iterator[tuple[str, Callable[[], Iterator[Finding]]]]) -> tuple[Finding, ...]:
    """Run every check; one that the database refuses becomes a warning and does not stop the others.

    Raise HistoryUnreachableError.
    """
    findings: list[Finding] = []
    for subject, check in checks:
        try:
            findings += check()
        except HistoryUnreachableError:
            raise
        except HistoryError as error:
            findings.append(Finding("warning", None, f"{subject} could not be checked: {error.message}"))
    order = ("error", "warning", "hint")
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def privileges(inspected: Inspected, table: Table) -> Iterator[Finding]:
    """Find out whether the login may read and delete; deletes nothing."""
    database = inspected.database
    missing = database.missing_privileges(table)
    if missing:
        yield denied(database, table.name, database.qualified(table), missing)


def denied(database: Database, name: str, place: str, missing: Sequence[str]) -> Finding:
    """Return which privileges are missing on a table, and the GRANT that gives them; `place` is quoted."""
    return Finding(
        "error",
        name,
        f"{database.login} has no {' and no '.join(missing)} privilege on {name}",
        database.grant_statement(missing, place),
    )


def index(inspected: Inspected, table: Table, column: str, name: str) -> Iterator[Finding]:
    """Find out whether an index leads with a column; `name` is for the statement that creates it."""
    found = table.columns.get(column.lower())
    if found is None or found.name in table.indexed:
        return
    yield Finding(
        "warning",
        table.name,
        f"no index leads with {found.name}: each look for expired rows reads the whole table",
        f"{inspected.database.index_statement(table, found, name)};",
    )


def storage(inspected: Inspected, table: Table) -> Iterator[Finding]:
    """Look at how the server stores the table, and at foreign keys that delete more than asked for."""
    yield from inspected.database.storage(table)
    for reference in table.references:
        if reference.action == "cascade":
            yield Finding(
                "warning",
                table.name,
                f"deleting from it also deletes the rows of {reference.table} that point at it"
                " (ON DELETE CASCADE)",
                "make sure that these rows may be deleted, or replace the foreign key by one without"
                " ON DELETE",
            )


def newest(inspected: Inspected, table: Table, column: Column, time_format: str | None) -> Iterator[Finding]:
    """Find rows from the future: the sign of a wrong time zone. Not looked for without an index."""
    if column.name not in table.indexed:
        return
    database, settings = inspected.database, inspected.settings
    value = database.query(f"SELECT max({database.quote(column.name)}) FROM {database.qualified(table)}")[0][
        0
    ]
    moment = cutoff(inspected.now, settings.timezone)
    target = Target(table, column, database.expired(column, moment, table, time_format))
    latest = as_instant(value, target, settings.timezone, time_format)
    if latest is None or latest <= inspected.now + CLOCKS_DIFFER:
        return
    yield Finding(
        "warning",
        table.name,
        f"its newest {column.name} is {span(latest - inspected.now)} in the future, read as"
        f" {settings.timezone}: rows would be removed too late, or the time zone is wrong",
        "set timezone of the history to that of the program which writes the rows",
    )
