"""The triggers and rules of PostgreSQL that run when rows are deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.databases.catalogue import Program
from cleanupctl.history.databases.programs import tables_changed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cleanupctl.history.databases.database import Database

_PROGRAMS = """
SELECT t.tgrelid, 'the trigger ' || t.tgname || ' of ' || n.nspname || '.' || c.relname,
  CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN p.prosrc ELSE '' END
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_language l ON l.oid = p.prolang JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.tgrelid = ANY(%s::oid[]) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 8 = 8
UNION ALL
SELECT r.ev_class, 'the rule ' || r.rulename || ' of ' || n.nspname || '.' || c.relname,
  pg_catalog.pg_get_ruledef(r.oid)
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.ev_class = ANY(%s::oid[]) AND r.ev_type = '4' AND r.ev_enabled IN ('O', 'A')
ORDER BY 1, 2
"""
"""Bit 8 of a trigger's type is DELETE, and so is a rule's event 4."""


def read(database: Database, oids: Iterable[object]) -> dict[object, tuple[Program, ...]]:
    """Return the programs of tables, by the tables' object ids."""
    asked = list(oids)
    found: dict[object, list[Program]] = {}
    for oid, name, text in database.query(_PROGRAMS, (asked, asked)):
        found.setdefault(oid, []).append(Program(name, tables_changed(text)))
    return {oid: tuple(some) for oid, some in found.items()}
