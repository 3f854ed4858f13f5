"""The foreign keys that point at tables of MySQL and MariaDB, and whether the login can see all of them."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.databases.catalogue import ForeignKey
from cleanupctl.history.databases.mysql.privileges import grant_statement, is_denied

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cleanupctl.history.databases.database import Database

    Place = tuple[str, str]

_KEYS = """
SELECT k.referenced_table_schema, k.referenced_table_name, k.table_schema, k.table_name, k.constraint_name,
  k.column_name, k.referenced_column_name, r.delete_rule
FROM information_schema.key_column_usage k LEFT JOIN information_schema.referential_constraints r
  ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
 AND r.table_name = k.table_name
WHERE {places}
ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position
"""
_OF = "(k.referenced_table_schema = %s AND k.referenced_table_name IN ({names}))"
_ACTIONS = {"CASCADE": "cascade", "SET NULL": "set", "SET DEFAULT": "set"}
_LISTS = ("innodb_sys_foreign", "innodb_foreign")
"""Where InnoDB lists all foreign keys: MariaDB's to who has PROCESS, MySQL's since version 8 to everyone."""


def references(database: Database, schema: str, names: Iterable[str]) -> dict[str, tuple[ForeignKey, ...]]:
    """Return the foreign keys that the login sees, by the table of a database at which they point."""
    found = _read(database, {(schema, name) for name in names})
    return {name: keys for (_, name), keys in found.items()}


def further(
    database: Database, keys: Iterable[ForeignKey]
) -> tuple[dict[str, tuple[ForeignKey, ...]], set[Place]]:
    """Return the keys that point at tables of which rows go along, of any depth, by quoted name.

    And which tables these are.
    """
    found: dict[str, tuple[ForeignKey, ...]] = {}
    places: set[Place] = set()
    asked = _cascading(keys)
    while asked:
        places |= asked
        read = _read(database, asked)
        for one in asked:
            found[database.place(one[1], one[0])] = read.get(one, ())
        asked = _cascading(key for one in asked for key in read.get(one, ())) - places
    return found, places


def _cascading(keys: Iterable[ForeignKey]) -> set[Place]:
    return {(key.detail[0], key.detail[1]) for key in keys if key.action == "cascade"}


def _read(database: Database, places: set[Place]) -> dict[Place, tuple[ForeignKey, ...]]:
    by_schema: dict[str, list[str]] = {}
    for schema, name in sorted(places):
        by_schema.setdefault(schema, []).append(name)
    conditions, parameters = [], []
    for schema, names in by_schema.items():
        conditions.append(_OF.format(names=", ".join(["%s"] * len(names))))
        parameters += [schema, *names]
    grouped: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for row in database.query(_KEYS.format(places=" OR ".join(conditions)), parameters):
        grouped.setdefault(tuple(row[:5]), []).append(tuple(row[5:]))
    found: dict[Place, list[ForeignKey]] = {}
    for (to_schema, to_table, schema, table, constraint), columns in grouped.items():
        rule = columns[0][2] or _rule(database, database.place(table, schema), constraint)
        key = ForeignKey(
            database.place(table, schema),
            tuple(column for column, _, _ in columns),
            tuple(referenced for _, referenced, _ in columns),
            _ACTIONS.get(rule, "restrict"),
            f"{schema}.{table}",
            own=(schema, table) == (to_schema, to_table),
            detail=(schema, table),
        )
        found.setdefault((to_schema, to_table), []).append(key)
    return {place: tuple(keys) for place, keys in found.items()}


def _rule(database: Database, place: str, constraint: str) -> str:
    """Read what a key does on delete in its table's definition: MariaDB's catalogue tells only some logins.

    What cannot be read counts as CASCADE.
    """
    with suppress(HistoryError):
        definition = str(database.query(f"SHOW CREATE TABLE {place}")[0][1])
        name = re.escape(constraint.replace("`", "``"))
        key = re.search(f"CONSTRAINT `{name}` FOREIGN KEY .*", definition)
        if key is not None:
            action = re.search(r" ON DELETE (CASCADE|SET NULL|SET DEFAULT)", key.group())
            return action.group(1) if action else "RESTRICT"
    return "CASCADE"


def unseen(database: Database, seen: Mapping[Place, int]) -> dict[Place, str]:
    """Return to which tables there may be more keys than the `seen` number of each, and why.

    InnoDB's own list proves it where the login may read it. Else the login has to have some privilege in
    the whole database: the catalogue shows foreign keys of tables on which one has any. Keys of tables in
    other databases are not proven then.
    """
    listed = _listed(database, seen)
    if listed is not None:
        return {place: _hidden(database, keys) for place, keys in listed.items() if len(keys) > seen[place]}
    found: dict[Place, str] = {}
    for schema in sorted({schema for schema, _ in seen}):
        if is_denied(database, f"SHOW CREATE TABLE {database.place('cleanupctl no table', schema)}"):
            everything = f"{database.quote(schema)}.*"
            sentence = (
                f"{database.login} can see foreign keys of some tables only, so that others may point at it:"
                f" {grant_statement(database, ['REFERENCES'], everything)}"
            )
            found |= {place: sentence for place in seen if place[0] == schema}
    return found


def _hidden(database: Database, keys: list[str]) -> str:
    schema, _, name = keys[0].partition("/")
    grant = grant_statement(database, ["SELECT", "REFERENCES"], database.place(name, schema))
    names = ", ".join(sorted({key.replace("/", ".") for key in keys}))
    return (
        f"{database.login} cannot see all foreign keys that point at it, which are those of {names}: {grant}"
    )


def _listed(database: Database, places: Iterable[Place]) -> dict[Place, list[str]] | None:
    """Return the tables whose keys point at some tables by InnoDB's list; None if it cannot be read."""
    written = {_written(database, place): place for place in places}
    plain = {"/".join(place): place for place in places}
    names = {**written, **plain}
    marks = ", ".join(["%s"] * len(names))
    for one in _LISTS:
        try:
            rows = database.query(
                f"SELECT ref_name, for_name FROM information_schema.{one} WHERE ref_name IN ({marks})",
                tuple(names),
            )
        except HistoryUnreachableError:
            raise
        except HistoryError:
            continue
        found: dict[Place, list[str]] = {place: [] for place in names.values()}
        for to, name in rows:
            found[names[to]].append(name)
        return found
    return None


def _written(database: Database, place: Place) -> str:
    """Return a table's name as MariaDB's InnoDB writes it: like the name of its file."""
    if re.fullmatch(r"\w+/\w+", "/".join(place), re.ASCII):
        return "/".join(place)
    try:
        schema, name = database.query(
            "SELECT HEX(CONVERT(%s USING filename)), HEX(CONVERT(%s USING filename))", place
        )[0]
    except HistoryUnreachableError:
        raise
    except HistoryError:
        return "/".join(place)
    return "/".join(bytes.fromhex(one).decode("ascii", "replace") for one in (schema, name))
