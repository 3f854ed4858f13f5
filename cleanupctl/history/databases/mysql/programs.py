"""The triggers of MySQL and MariaDB that run when rows are deleted, as far as the login may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.databases.catalogue import Program
from cleanupctl.history.databases.programs import tables_changed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cleanupctl.history.databases.database import Database

_PROGRAMS = """
SELECT event_object_schema, event_object_table, trigger_name, action_statement
FROM information_schema.triggers WHERE event_manipulation = 'DELETE' AND event_object_schema IN ({schemas})
"""


def read(database: Database, places: Iterable[object]) -> dict[object, tuple[Program, ...]]:
    """Return the triggers of tables, by database and name; rows that go along run none on these servers."""
    asked = {place for place in places if isinstance(place, tuple)}
    schemas = sorted({schema for schema, _ in asked})
    sql = _PROGRAMS.format(schemas=", ".join(["%s"] * len(schemas)))
    found: dict[object, list[Program]] = {}
    for schema, table, name, text in database.query(sql, schemas) if schemas else ():
        if (schema, table) in asked:
            # A login that may not have triggers sees that there is one, and not what it does.
            program = Program(
                f"the trigger {name} of {schema}.{table}", tables_changed(text or ""), hidden=text is None
            )
            found.setdefault((schema, table), []).append(program)
    return {place: tuple(some) for place, some in found.items()}
