"""SQLite's catalogue: its schema table and pragmas, and the tables made of their rows."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.catalogue import Column, ForeignKey, Table
from cleanupctl.history.databases.programs import with_programs
from cleanupctl.history.databases.sqlite import programs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.history.databases.database import Database


_REFUSED = {
    "view": "is a view; name the table that holds the rows",
    "virtual": "is a virtual table; name the table that holds the rows",
    "shadow": "holds the rows of a virtual table, which alone may change them",
}
_ACTIONS = {"CASCADE": "cascade", "SET NULL": "set", "SET DEFAULT": "set"}
_GENERATED = re.compile(r"\bgenerated always$", re.IGNORECASE)
_ROWID = ("rowid", "_rowid_", "oid")
"""What the number of a row may be called, as long as no column of the table is called so."""


def find_tables(database: Database, names: Sequence[str], schema: str | None) -> dict[str, Table]:
    """Return the tables called `names` in the file; attached databases are not looked at."""
    if schema not in (None, "main"):
        raise HistoryError(f"SQLite has no schema {schema}: leave schema out for {', '.join(names)}")
    found = {}
    for name in names:
        rows = database.query(
            "SELECT s.type, s.name, l.type FROM sqlite_schema AS s LEFT JOIN pragma_table_list AS l"
            " ON l.schema = 'main' AND l.name = s.name"
            " WHERE lower(s.name) = lower(%s) AND s.type IN ('table', 'view')",
            (name,),
        )
        for kind, relation, finer in rows:
            found[name] = _table(database, relation, _REFUSED.get(kind) or _REFUSED.get(finer))
    return with_programs(
        found,
        lambda table: table.name.lower(),
        lambda key: key.detail[0].lower(),
        partial(programs.read, database),
    )


def _kind(declared: str) -> str:
    """Sort a declared type; what is really stored is looked at when rows are compared."""
    name = declared.upper().split("(")[0].strip()
    if (
        name in ("", "TEXT", "DATETIME", "TIMESTAMP", "DATE", "NUMERIC", "REAL", "ANY")
        or "CHAR" in name
        or "TIME" in name
    ):
        return "text"
    return "integer" if "INT" in name else "other"


def _table(database: Database, relation: str, refusal: str | None) -> Table:
    # Hidden columns of virtual tables (1) are none of the table; generated ones (2 and 3) are.
    info = database.query(
        'SELECT name, type, pk, "notnull" FROM pragma_table_xinfo(%s) WHERE hidden <> 1', (relation,)
    )
    columns = [
        Column(name, _kind(type_), type_ or "untyped")
        # Of a generated column the first words of its definition are taken for its type.
        for name, type_ in ((row[0], _GENERATED.sub("", row[1]).strip()) for row in info)
    ]
    leading = database.query(
        "SELECT x.name FROM pragma_index_list(%s) AS i, pragma_index_info(i.name) AS x"
        " WHERE x.seqno = 0 AND i.partial = 0",
        (relation,),
    )
    names = {column.name: column for column in columns}
    key, rowid = _key(database, relation, info) if refusal is None else ((), None)
    if not key and refusal is None:
        refusal = f"has columns called {', '.join(_ROWID)}, and no key that tells its rows apart"
    references = _references(database, relation)
    return Table(
        schema=None,
        name=relation,
        columns=names,
        key=key,
        indexed=frozenset(row[0] for row in leading if row[0] is not None),
        references=references,
        further=_further(database, references),
        refusal=refusal,
        detail={"rowid": rowid},
    )


def _key(
    database: Database, relation: str, info: list[tuple[Any, ...]]
) -> tuple[tuple[str, ...], str | None]:
    """Return the key of a table, and what the number of its rows is called where that is the key."""
    declared = tuple(name for _, name in sorted((row[2], row[0]) for row in info if row[2]))
    found = database.query(
        "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = %s", (relation,)
    )
    if found and found[0][0]:
        return declared, None
    taken = {row[0].lower() for row in info}
    free = [name for name in _ROWID if name not in taken]
    if free:
        return (free[0],), free[0]
    types = {row[0]: row[1].upper() for row in info}
    if len(declared) == 1 and types[declared[0]] == "INTEGER":
        return declared, declared[0]
    # A key of another type may be NULL in several rows, unless its columns say otherwise.
    certain = {row[0] for row in info if row[3]}
    return (declared if certain.issuperset(declared) else ()), None


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
    return tuple(_foreign_key(database, relation, key, table, found) for (table, _), found in grouped.items())


def _foreign_key(
    database: Database, relation: str, key: list[str], table: str, found: list[tuple[Any, ...]]
) -> ForeignKey:
    columns = tuple(row[2] for row in found)
    # Without a key there is nothing that the foreign key could mean: a delete says so.
    referenced = tuple(
        row[3] or (key[place] if place < len(key) else "rowid") for place, row in enumerate(found)
    )
    return ForeignKey(
        database.place(table),
        columns,
        referenced,
        _ACTIONS.get(found[0][4], "restrict"),
        f"main.{table}",
        own=table.lower() == relation.lower(),
        index=_missing_index(database, table, columns),
        detail=(table,),
    )


def unique_indexes(database: Database, table: Table) -> str:
    """Return the statements that create the unique indexes which foreign keys to a table may lack."""
    key = database.query("SELECT name FROM pragma_table_info(%s) WHERE pk ORDER BY pk", (table.name,))
    statements = []
    for columns in dict.fromkeys(one.referenced for one in table.references):
        if columns != tuple(row[0] for row in key):
            name = database.quote("_".join((table.name, *columns, "key")).lower())
            listed = ", ".join(database.quote(column) for column in columns)
            statements.append(f"CREATE UNIQUE INDEX {name} ON {database.quote(table.name)} ({listed});")
    return " ".join(statements)


def _missing_index(database: Database, table: str, columns: tuple[str, ...]) -> str | None:
    """Return the statement that creates the index which leads to referencing rows, if there is none."""
    wanted = {column.lower() for column in columns}
    leading = database.query(
        "SELECT x.name FROM pragma_index_list(%s) AS i, pragma_index_info(i.name) AS x"
        " WHERE x.seqno = 0 AND i.partial = 0 AND x.name IS NOT NULL"
        " UNION SELECT name FROM pragma_table_info(%s) WHERE pk = 1",
        (table, table),
    )
    if wanted & {row[0].lower() for row in leading}:
        return None
    name = database.quote("_".join((table, *columns, "idx")).lower())
    listed = ", ".join(database.quote(column) for column in columns)
    return f"CREATE INDEX {name} ON {database.quote(table)} ({listed});"


def _further(database: Database, keys: tuple[ForeignKey, ...]) -> dict[str, tuple[ForeignKey, ...]]:
    """Return the keys that point at tables of which rows go along, of any depth, by quoted name."""
    found: dict[str, tuple[ForeignKey, ...]] = {}
    asked = [key for key in keys if key.action == "cascade"]
    while asked:
        key = asked.pop()
        if key.table not in found:
            found[key.table] = _references(database, key.detail[0])
            asked += [one for one in found[key.table] if one.action == "cascade"]
    return found
