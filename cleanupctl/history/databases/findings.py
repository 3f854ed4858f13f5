"""What is wrong with a history's database: findings, and the checks that suit every kind of history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.databases.cutoff import as_instant, cutoff
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cleanupctl.core.settings import HistorySettings
    from cleanupctl.history.databases.catalogue import Column, Table
    from cleanupctl.history.databases.database import Database

Severity = Literal["error", "warning", "hint"]

LONG_TRANSACTION = timedelta(minutes=10)
"""From this age on a transaction of somebody else keeps deleted rows in the tables."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""A newest row this far in the future is not explained by clocks that are not quite the same."""
_MYSQL_DENIED = {1044, 1142, 1143, 1227}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that keeps cleanup from working (error), makes it worse (warning), or is good to know."""

    severity: Severity
    table: str | None
    message: str
    remedy: str | None = None
    """What to do about it; often a statement to run."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of checking one history."""

    history: str
    schema_version: str | None
    """Of an engine's tables; None when unknown or not an engine."""
    findings: tuple[Finding, ...]
    reachable: bool = True
    """False when the database could not be asked, so that the findings say only why."""

    @property
    def failed(self) -> bool:
        """Whether some finding is an error."""
        return any(finding.severity == "error" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Inspected:
    """One history that is being checked, at one moment (aware)."""

    settings: HistorySettings
    database: Database
    now: datetime
    long_transaction: timedelta = LONG_TRANSACTION

    @property
    def kind(self) -> str:
        """`postgresql`, `mysql` or `sqlite`."""
        return self.settings.url.scheme


def collected(checks: Iterator[tuple[str, Callable[[], Iterator[Finding]]]]) -> tuple[Finding, ...]:
    """Run every check; one that the database refuses becomes a warning and does not stop the others.

    Raises HistoryUnreachableError.
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
    """Find out whether the user of the URL may read and delete; deletes nothing."""
    missing = list(_missing_privileges(inspected, table))
    if missing:
        yield denied(inspected, table.name, inspected.database.qualified(table), missing)


def schema_usage(inspected: Inspected, table: Table) -> Iterator[Finding]:
    """Find out whether the user of the URL may use the table's schema on PostgreSQL."""
    if inspected.kind != "postgresql" or table.schema is None:
        return
    database = inspected.database
    if not database.query("SELECT has_schema_privilege(%s, 'USAGE')", (table.schema,))[0][0]:
        user = inspected.settings.url.user or "the user of the URL"
        place = database.quote(table.schema).replace("%%", "%")
        yield Finding(
            "error",
            table.name,
            f"{user} may not use schema {table.schema}",
            f'GRANT USAGE ON SCHEMA {place} TO "{user}";',
        )


def denied(inspected: Inspected, name: str, qualified: str, missing: list[str]) -> Finding:
    """Say which privileges are missing, and the GRANT that gives them."""
    user = inspected.settings.url.user or "the user of the URL"
    who = f"'{user}'@'%'" if inspected.kind == "mysql" else f'"{user}"'
    return Finding(
        "error",
        name,
        f"{user} has no {' and no '.join(missing)} privilege on {name}",
        f"GRANT {', '.join(missing)} ON {qualified.replace('%%', '%')} TO {who};",
    )


def _missing_privileges(inspected: Inspected, table: Table) -> Iterator[str]:
    database, qualified = inspected.database, inspected.database.qualified(table)
    if inspected.kind == "sqlite":
        return
    if inspected.kind == "postgresql":
        for privilege in ("SELECT", "DELETE"):
            held = database.query("SELECT has_table_privilege(%s::oid, %s)", (table.detail["oid"], privilege))
            if not held[0][0]:
                yield privilege
        return
    # Roles and grants by pattern make the catalogue hard to read; EXPLAIN asks for the same privileges.
    column = database.quote(next(iter(table.columns.values())).name)
    for privilege, statement in (
        ("SELECT", f"EXPLAIN SELECT {column} FROM {qualified}"),
        ("DELETE", f"EXPLAIN DELETE FROM {qualified}"),
    ):
        if is_denied(database, statement):
            yield privilege


def is_denied(database: Database, statement: str) -> bool:
    """Whether MySQL refuses a statement for want of privileges."""
    try:
        database.query(statement)
    except HistoryUnreachableError:
        raise
    except HistoryError as error:
        number = error.__cause__.args[0] if error.__cause__ and error.__cause__.args else None
        return number in _MYSQL_DENIED
    return False


def index(inspected: Inspected, table: Table, column: str, name: str) -> Iterator[Finding]:
    """Find out whether an index leads with a column; `name` is for the statement that creates it."""
    found = table.columns.get(column.lower())
    if found is None or found.name in table.indexed:
        return
    database = inspected.database
    # PostgreSQL need not stop the writers meanwhile; SQLite wants no schema before the table.
    without_lock = "CONCURRENTLY " if inspected.kind == "postgresql" else ""
    place = database.quote(table.name) if inspected.kind == "sqlite" else database.qualified(table)
    named = name if name.isidentifier() else database.quote(name)
    statement = f"CREATE INDEX {without_lock}{named} ON {place} ({database.quote(found.name)})"
    yield Finding(
        "warning",
        table.name,
        f"no index leads with {found.name}: each look for expired rows reads the whole table",
        f"{statement.replace('%%', '%')};",
    )


def storage(inspected: Inspected, table: Table) -> Iterator[Finding]:
    """Look at the storage engine and at foreign keys that delete more than asked for."""
    engine = table.detail.get("engine")
    if inspected.kind == "mysql" and str(engine).lower() != "innodb":
        yield Finding(
            "error",
            table.name,
            f"the storage engine is {engine}, which has no transactions and locks the whole table",
            f"ALTER TABLE {inspected.database.qualified(table).replace('%%', '%')} ENGINE = InnoDB;",
        )
    for reference in table.references:
        if reference.action == "cascade":
            yield Finding(
                "warning",
                table.name,
                f"deleting from it also deletes the rows of {reference.table} that point at it"
                " (ON DELETE CASCADE)",
                "make sure that these rows may go, or replace the foreign key by one without ON DELETE",
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


def span(length: timedelta) -> str:
    """Write a length of time in words."""
    minutes = int(length.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 48 * 60 else f"{minutes // 1440} days"
