"""What the login of a PostgreSQL history may do, and the GRANT for what it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.databases import views
from cleanupctl.history.databases.diagnosis import Denied
from cleanupctl.history.databases.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database


def missing(database: Database, table: Table) -> list[str]:
    """Return which of SELECT and DELETE the login does not have on a table."""
    sql = "SELECT pg_catalog.has_table_privilege(%s::oid, %s)"
    oid = table.detail["oid"]
    return [name for name in ("SELECT", "DELETE") if not database.query(sql, (oid, name))[0][0]]


def may_lock(database: Database, table: Table) -> bool:
    """Return whether the login may lock rows of a table, which needs UPDATE on some column."""
    sql = "SELECT pg_catalog.has_any_column_privilege(%s::oid, 'UPDATE')"
    return bool(database.query(sql, (table.detail["oid"],))[0][0])


_SIGHT = """
SELECT pg_catalog.has_schema_privilege(relnamespace, 'USAGE'),
  pg_catalog.has_table_privilege(c.oid, 'SELECT'),
  pg_catalog.has_any_column_privilege(c.oid, 'SELECT'), pg_catalog.row_security_active(c.oid)
FROM pg_catalog.pg_class c WHERE c.oid = %s::oid
"""


def denied(database: Database, table: Table, columns: Sequence[str]) -> Iterator[Denied]:
    """Yield what keeps the login from reading all rows of a table, or some of its columns."""
    (use, all_columns, some_columns, hides_rows) = database.query(_SIGHT, (table.detail["oid"],))[0]
    place, login = database.qualified(table), database.login
    if not use and table.schema is not None:
        grant = f'GRANT USAGE ON SCHEMA {database.quote(table.schema)} TO "{login}";'
        yield Denied(table.name, f"{login} may not use schema {table.schema}", grant)
        return
    readable = all_columns or (some_columns and all(_may_read(database, table, one) for one in columns))
    if not readable:
        grant = grant_statement(["SELECT"], place, login)
        yield Denied(table.name, f"{login} has no SELECT privilege on {table.name}", grant)
    if table.refusal is not None and not _shows_every_row(database, table):
        yield Denied(table.name, views.hides_rows(table.name), None)
    if hides_rows:
        message = f"row-level security hides rows of {table.name} from {login}"
        yield Denied(table.name, message, f'ALTER ROLE "{login}" BYPASSRLS;')


_VIEW = """
SELECT pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c
WHERE c.oid = %s::oid AND c.relkind = 'v' AND pg_catalog.pg_relation_is_updatable(c.oid, false) <> 0
"""
_TABLE = "SELECT 1 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s) AND relkind IN ('r', 'p')"


def _shows_every_row(database: Database, view: Table) -> bool:
    """Return whether a view is sure to leave nothing out; neither copies nor tables of other servers are."""
    found = database.query(_VIEW, (view.detail["oid"],))
    source = views.only_table(found[0][0]) if found else None
    return source is not None and bool(database.query(_TABLE, (source,)))


def _may_read(database: Database, table: Table, column: str) -> bool:
    found = table.columns.get(column.lower())
    sql = "SELECT pg_catalog.has_column_privilege(%s::oid, %s, 'SELECT')"
    return found is None or bool(database.query(sql, (table.detail["oid"], found.name))[0][0])


def schema_usage(database: Database, table: Table, login: str) -> Iterator[Finding]:
    """Find out whether the login may use the table's schema."""
    if table.schema is None:
        return
    if not database.query("SELECT pg_catalog.has_schema_privilege(%s, 'USAGE')", (table.schema,))[0][0]:
        yield Finding(
            "error",
            table.name,
            f"{login} may not use schema {table.schema}",
            f'GRANT USAGE ON SCHEMA {database.quote(table.schema)} TO "{login}";',
        )


def grant_statement(wanted: Sequence[str], place: str, login: str) -> str:
    """Return the GRANT that gives the login privileges on a table, whose quoted name is `place`."""
    return f'GRANT {", ".join(wanted)} ON {place} TO "{login}";'
