"""What the login of a PostgreSQL history may do, and the GRANT for what it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.databases.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database


def missing(database: Database, table: Table) -> list[str]:
    """Return which of SELECT and DELETE the login does not have on a table."""
    sql = "SELECT has_table_privilege(%s::oid, %s)"
    oid = table.detail["oid"]
    return [name for name in ("SELECT", "DELETE") if not database.query(sql, (oid, name))[0][0]]


def schema_usage(database: Database, table: Table, login: str) -> Iterator[Finding]:
    """Find out whether the login may use the table's schema."""
    if table.schema is None:
        return
    if not database.query("SELECT has_schema_privilege(%s, 'USAGE')", (table.schema,))[0][0]:
        yield Finding(
            "error",
            table.name,
            f"{login} may not use schema {table.schema}",
            f'GRANT USAGE ON SCHEMA {database.quote(table.schema)} TO "{login}";',
        )


def grant_statement(wanted: Sequence[str], place: str, login: str) -> str:
    """Return the GRANT that gives the login privileges on a table, whose quoted name is `place`."""
    return f'GRANT {", ".join(wanted)} ON {place} TO "{login}";'
