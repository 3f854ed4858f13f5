"""What the login of a MySQL or MariaDB history may do, and the GRANT for what it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def grant_statement(wanted: Sequence[str], place: str, login: str) -> str:
    """Return the GRANT that gives the login privileges on a table, whose quoted name is `place`."""
    return f"GRANT {', '.join(wanted)} ON {place} TO '{login}'@'%';"
