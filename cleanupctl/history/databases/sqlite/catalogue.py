"""SQLite's catalogue: its schema table and pragmas, and the tables made of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.catalogue import Column, ForeignKey, Table

if TYPE_CHECKING:
    from cleanupctl.history.databases.database import Database


def find_table(database: Database, name: str, schema: str | None) -> Table | None:
    """Return the table of that name in the file; attached databases are not looked at."""
    if schema not in (None, "main"):
        raise HistoryError(f"SQLite has no schema {schema}: leave schema out for {name}")
    found = database.query("SELECT type, name FROM sqlite_schema WHERE lower(name) = lower(%s)", (name,))
    if not found:
        return None
    kind, relation = found[0]
    if kind != "table":
        raise HistoryError(f"{name} is a {kind}; name the table that holds the rows")
    return _table(database, relation)


def _kind(declared: str) -> str:
    """Sort a declared type; what is really stored is looked at when rows are compared."""
    name = declared.upper().split("(")[0].strip()
    if (
        name in ("", "TEXT", "DATETIME", "TIMESTAMP", "DATE", "NUMERIC", "REAL")
        or "CHAR" in name
        or "TIME" in name
    ):
        return "text"
    return "integer" if "INT" in name else "other"


def _table(database: Database, relation: str) -> Table:
    info = database.query("SELECT name, type, pk FROM pragma_table_info(%s)", (relation,))
    columns = [Column(name, _kind(declared), declared or "untyped") for name, declared, _ in info]
    without_rowid = database.query(
        "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = %s", (relation,)
    )
    key = tuple(name for _, name in sorted((row[2], row[0]) for row in info if row[2]))
    leading = database.query(
        "SELECT x.name FROM pragma_index_list(%s) AS i, pragma_index_info(i.name) AS x"
        " WHERE x.seqno = 0 AND i.partial = 0",
        (relation,),
    )
    return Table(
        schema=None,
        name=relation,
        columns={column.name.lower(): column for column in columns},
        key=key if without_rowid and without_rowid[0][0] else ("rowid",),
        indexed=frozenset(row[0] for row in leading if row[0] is not None),
        references=_references(database, relation),
    )


def _references(database: Database, relation: str) -> tuple[ForeignKey, ...]:
    rows = database.query(
        'SELECT s.name, f.id, f."from", f."to", f.on_delete FROM sqlite_schema AS s,'
        " pragma_foreign_key_list(s.name) AS f WHERE s.type = 'table' AND lower(f.\"table\") = lower(%s)"
        " ORDER BY s.name, f.id, f.seq",
        (relation,),
    )
    grouped: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
    for row in rows:
        grouped.setdefault((row[0], row[1]), []).append(row)
    key = [
        row[0]
        for row in database.query("SELECT name FROM pragma_table_info(%s) WHERE pk ORDER BY pk", (relation,))
    ]
    actions = {"CASCADE": "cascade", "SET NULL": "set", "SET DEFAULT": "set"}
    return tuple(
        ForeignKey(
            database.place(table),
            tuple(row[2] for row in found),
            tuple(row[3] or key[place] for place, row in enumerate(found)),
            actions.get(found[0][4], "restrict"),
            f"main.{table}",
        )
        for (table, _), found in grouped.items()
    )
