"""Triggers and rules that run when rows are deleted, and which tables they are seen to change."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.history.databases.dependents import dependents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cleanupctl.history.databases.catalogue import ForeignKey, Program, Table

_NOT_CODE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_NAME = r"""((?:[\w$]+|"[^"]+"|`[^`]+`|\[[^\]]+\])(?:\s*\.\s*(?:[\w$]+|"[^"]+"|`[^`]+`|\[[^\]]+\]))*)"""
_CHANGING = re.compile(
    rf"\bDELETE\s+(?:[\w.`]+\s+)?FROM\s+(?:ONLY\s+)?{_NAME}"
    rf"|\bUPDATE\s+(?:OR\s+\w+\s+)?(?:ONLY\s+)?{_NAME}(?:\s+(?:AS\s+)?\w+)?\s+SET\b"
    rf"|\bTRUNCATE\s+(?:TABLE\s+)?(?:ONLY\s+)?{_NAME}",
    re.IGNORECASE,
)


def tables_changed(text: str) -> tuple[str, ...]:
    """Return the tables of which a text in SQL, or around SQL, deletes or changes rows.

    Rows may be added to any. What is put together from strings while it runs is not seen.
    """
    found = _CHANGING.finditer(_NOT_CODE.sub(" ", text))
    return tuple(dict.fromkeys(next(name for name in one.groups() if name) for one in found))


def with_programs(
    tables: Mapping[str, Table],
    place_of: Callable[[Table], object],
    place_of_key: Callable[[ForeignKey], object],
    read: Callable[[Iterable[object]], Mapping[object, tuple[Program, ...]]],
) -> dict[str, Table]:
    """Add to tables the programs of their own, and of tables of which rows are deleted along with theirs."""
    places = {
        name: [
            place_of(table),
            *(place_of_key(key) for key in dependents(table) if key.action == "cascade" and not key.own),
        ]
        for name, table in tables.items()
    }
    found = read({place for some in places.values() for place in some})
    return {
        name: replace(
            table,
            programs=tuple(dict.fromkeys(one for place in places[name] for one in found.get(place, ()))),
        )
        for name, table in tables.items()
    }


def said_of_programs(table: Table) -> list[str]:
    """Say which programs run when rows of a table are deleted, and what they are seen to change."""
    return [
        f"deleting from {table.name} runs {one.name}"
        + (f", which deletes or changes rows of {', '.join(one.changes)}" if one.changes else "")
        for one in table.programs
    ]
