"""The checks that suit every kind of history and every server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.core.times import span
from cleanupctl.history.databases.cutoff import cutoff
from cleanupctl.history.databases.dependents import ALLOW, dependents, paths, said
from cleanupctl.history.databases.errors import LockConflictError
from cleanupctl.history.databases.findings import Finding
from cleanupctl.history.databases.programs import said_of_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from cleanupctl.core.settings import HistorySettings
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.findings import Severity
    from cleanupctl.history.databases.time_column import TimeColumn

LONG_TRANSACTION = timedelta(minutes=10)
"""From this age on a transaction of another session keeps deleted rows in the tables."""
FUTURE = timedelta(days=20 * 365)
"""What lies farther ahead is no newest row: in a column of expiry dates it means "never"."""
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
    ordered = sorted(findings, key=lambda finding: order.index(finding.severity))
    # What is true of a whole schema is found at each of its tables.
    told = {(finding.message, finding.remedy): finding for finding in reversed(ordered)}
    return tuple(one for one in ordered if told[one.message, one.remedy] is one)


def privileges(inspected: Inspected, table: Table) -> Iterator[Finding]:
    """Find out whether the login may read and delete; deletes nothing."""
    database = inspected.database
    missing = database.missing_privileges(table)
    if missing:
        yield denied(database, table.name, database.qualified(table), missing)
    hidden = [] if "SELECT" in missing else list(sight(inspected, table, "error"))
    yield from hidden
    if not missing and not hidden:
        yield from rehearsed(database, table)


def rehearsed(database: Database, table: Table) -> Iterator[Finding]:
    """Run the statements that delete, on no rows and undone: whatever else refuses them tells so."""
    try:
        database.require_deletable(replace(table, cascade=True))
    except HistoryUnreachableError:
        raise
    except HistoryError:
        # Told with its remedy by `rows_along`.
        return
    try:
        database.rehearse(table)
    except HistoryUnreachableError:
        raise
    except LockConflictError as error:
        yield Finding("hint", table.name, f"whether deleting works was not tried: {error.message}")
    except HistoryError as error:
        yield Finding("error", table.name, f"nothing can be deleted from it: {error.message}")


def sight(
    inspected: Inspected, table: Table, severity: Severity, columns: Sequence[str] = ()
) -> Iterator[Finding]:
    """Find out whether the login can read every row of a table: what it cannot see would count as absent."""
    for one in inspected.database.denied(table, columns):
        yield Finding(severity, one.table, one.message, one.remedy)


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
    if not table.has(column):
        return
    found = table.column(column)
    if found.name in table.indexed:
        return
    yield Finding(
        "warning",
        table.name,
        f"no index leads with {found.name}: each look for expired rows reads the whole table",
        f"{inspected.database.index_statement(table, found, name)};",
    )


def storage(inspected: Inspected, table: Table) -> Iterator[Finding]:
    """Look at how the server stores the table, and at what a run leaves in it or takes along."""
    yield from inspected.database.storage(table)
    yield from inspected.database.left_alone(table)
    yield from unindexed_references(table)
    for message in said_of_programs(table):
        yield Finding("hint", table.name, message, "make sure that this may happen for each expired row")


def rows_along(database: Database, table: Table) -> Iterator[Finding]:
    """Say what foreign keys delete or change along with rows of a table, or that it cannot be known."""
    try:
        database.require_deletable(table)
    except HistoryUnreachableError:
        raise
    except HistoryError as error:
        remedy = f"set {ALLOW} for it if other rows may go along, or change the foreign keys"
        yield Finding("error", table.name, error.message, remedy)
        return
    if dependents(table):
        yield Finding(
            "hint",
            table.name,
            f"deleting from it also {said(table)}",
            "make sure that these rows may go along",
        )
    elif table.unseen is not None:
        yield Finding("warning", table.name, table.unseen)


def unindexed_references(table: Table) -> Iterator[Finding]:
    """Find foreign keys that no index leads to: each deleted row reads the referencing table as a whole."""
    for key in dict.fromkeys(path[-1] for path in paths(table)):
        if key.index is not None:
            columns = ", ".join(key.columns)
            yield Finding(
                "warning",
                table.name,
                f"no index leads to {columns} of {key.name}, a foreign key that deleting from {table.name}"
                f" follows: each deleted row reads {key.name} as a whole",
                key.index,
            )


def newest(times: TimeColumn) -> Iterator[Finding]:
    """Find rows from the future, or as late as a zone's offset: the signs of a wrong time zone.

    Not looked for without an index.
    """
    table, column, zone, now = times.table, times.column, times.zone, times.now
    if column.name not in table.indexed:
        return
    found = times.newest(cutoff(now + FUTURE, zone))
    if not found:
        return
    latest = found[0]
    offset = now.astimezone(zone).utcoffset() or timedelta()
    # What was written in UTC and is read in the zone appears to be so much too early.
    in_utc = abs(latest + offset - now) <= CLOCKS_DIFFER and times.wall
    if latest > now + CLOCKS_DIFFER:
        would = ": as UTC it would be now" if in_utc else ""
        yield Finding(
            "warning",
            table.name,
            f"its newest {column.name} is {span(latest - now)} in the future, read as"
            f" {zone}{would}: rows would be removed too late, or the time zone is wrong",
            _ZONE_REMEDY + (' (timezone = "UTC")' if in_utc else ""),
        )
    elif in_utc and abs(offset) > CLOCKS_DIFFER and latest - found[-1] < abs(offset):
        yield Finding(
            "warning",
            table.name,
            f"its newest {column.name} is {span(now - latest)} ago, read as {zone}, and as UTC it would be"
            " now: rows are removed too early by that if they are written in UTC",
            _ZONE_REMEDY + ' (timezone = "UTC")',
        )


_ZONE_REMEDY = "set timezone of the history to that of the program which writes the rows"
