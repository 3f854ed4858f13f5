"""What the login of a MySQL or MariaDB history may do, and the GRANT for what it may not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.databases import views
from cleanupctl.history.databases.diagnosis import Denied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database

_DENIED = {1044, 1142, 1143, 1227}


def missing(database: Database, table: Table) -> list[str]:
    """Return which of SELECT and DELETE the login does not have on a table.

    Roles and grants by pattern make the catalogue hard to read; EXPLAIN asks for the same privileges.
    """
    place = database.qualified(table)
    column = database.quote(next(iter(table.columns.values())).name)
    statements = {"SELECT": f"EXPLAIN SELECT {column} FROM {place}", "DELETE": f"EXPLAIN DELETE FROM {place}"}
    return [privilege for privilege, statement in statements.items() if is_denied(database, statement)]


def denied(database: Database, table: Table, columns: Sequence[str]) -> Iterator[Denied]:
    """Yield what keeps the login from reading a table or some of its columns.

    The catalogue leaves out the columns that the login may not read, so that each is asked for.
    """
    place, known = database.qualified(table), table.columns
    readable = [known[one.lower()].name for one in columns if one.lower() in known]
    listed = ", ".join(database.quote(name) for name in readable) or "1"
    hidden = [one for one in columns if one.lower() not in known]
    statements = [f"SELECT {listed} FROM {place} LIMIT 0"]
    statements += [f"SELECT {database.quote(one)} FROM {place} LIMIT 0" for one in hidden]
    if any(is_denied(database, statement) for statement in statements):
        message = f"{database.login} may not read all of {table.name}"
        yield Denied(table.name, message, database.grant_statement(["SELECT"], place))
    elif table.refusal is not None and not _shows_every_row(database, table):
        yield Denied(table.name, views.hides_rows(table.name), None)


_VIEW = """
SELECT view_definition FROM information_schema.views
WHERE table_schema = %s AND table_name = %s AND is_updatable = 'YES'
"""
_TABLE = """
SELECT 1 FROM information_schema.tables
WHERE table_schema = %s AND table_name = %s AND table_type = 'BASE TABLE'
"""


def _shows_every_row(database: Database, view: Table) -> bool:
    """Return whether a view is sure to leave nothing out; who may not see its definition cannot be sure."""
    found = database.query(_VIEW, (view.schema, view.name))
    source = views.only_table(str(found[0][0])) if found else None
    if source is None:
        return False
    # The server writes both names.
    names = [one.replace("``", "`") for one in re.findall(r"`((?:[^`]|``)+)`", source)]
    return len(names) == 2 and bool(database.query(_TABLE, names))


def hidden(database: Database, name: str, schema: str | None, *, sure: bool) -> Denied:
    """Return why a table that may be hidden cannot be seen."""
    place = database.place(name, schema)
    if sure:
        message = f"{database.login} has no SELECT privilege on {name}"
        return Denied(name, message, database.grant_statement(["SELECT"], place))
    message = f"{database.login} cannot see whether there is a table {name}"
    everywhere = f"{place.rsplit('.', maxsplit=1)[0]}.*"
    return Denied(name, message, database.grant_statement(["SELECT"], everywhere))


def is_denied(database: Database, statement: str) -> bool:
    """Return whether the server refuses a statement for want of privileges."""
    try:
        database.query(statement)
    except HistoryUnreachableError:
        raise
    except HistoryError as error:
        number = error.__cause__.args[0] if error.__cause__ and error.__cause__.args else None
        return number in _DENIED
    return False


def grant_statement(database: Database, wanted: Sequence[str], place: str) -> str:
    """Return the GRANT that gives the login's account privileges on a table, whose quoted name is `place`."""
    user, _, host = str(database.query("SELECT CURRENT_USER()")[0][0]).rpartition("@")
    account = "@".join("'" + one.replace("'", "''") + "'" for one in (user, host))
    return f"GRANT {', '.join(wanted)} ON {place} TO {account};"
