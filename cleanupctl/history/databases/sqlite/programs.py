"""The triggers of SQLite that run when rows are deleted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cleanupctl.history.databases.catalogue import Program
from cleanupctl.history.databases.programs import tables_changed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cleanupctl.history.databases.database import Database

_PROGRAMS = "SELECT lower(tbl_name), name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name"
_OF_DELETE = re.compile(r"\bDELETE\s+ON\b(.*)", re.IGNORECASE | re.DOTALL)
_BODY = re.compile(r"\bBEGIN\b", re.IGNORECASE)


def read(database: Database, names: Iterable[object]) -> dict[object, tuple[Program, ...]]:
    """Return the triggers of tables, by the tables' names in small letters."""
    asked = set(names)
    found: dict[object, list[Program]] = {}
    for table, name, text in database.query(_PROGRAMS):
        head = _BODY.split(text, maxsplit=1)
        if table in asked and _OF_DELETE.search(head[0]):
            program = Program(f"the trigger {name} of {table}", tables_changed(head[-1]))
            found.setdefault(table, []).append(program)
    return {table: tuple(some) for table, some in found.items()}
