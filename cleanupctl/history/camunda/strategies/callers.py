"""Processes and cases that call each other: which instances belong to something that has not ended.

Links lead from what was called to its callers, by the keys of the tables. What has a caller in common belongs
together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import ROOT
from cleanupctl.history.camunda.schema.tables import CASES, PROCESS_INSTANCES, any_row
from cleanupctl.history.camunda.strategies.lookups import lookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from cleanupctl.history.camunda.schema.tables import Schema

Node = tuple[str, str]
"""Table and id of an instance."""

_INSTANCE, _CASE = "PROC_INST_ID_", "CASE_INST_ID_"
_SUPER, _SUPER_CASE = "SUPER_PROCESS_INSTANCE_ID_", "SUPER_CASE_INSTANCE_ID_"
_KEYS = {PROCESS_INSTANCES: _INSTANCE, CASES: _CASE}
_ENDS = {PROCESS_INSTANCES: "END_TIME_", CASES: "CLOSE_TIME_"}
_LINKS = {
    PROCESS_INSTANCES: (
        (ROOT, PROCESS_INSTANCES),
        (_SUPER, PROCESS_INSTANCES),
        (_SUPER_CASE, CASES),
        (_CASE, CASES),
    ),
    CASES: ((_SUPER, PROCESS_INSTANCES), (_SUPER_CASE, CASES)),
}


class Callers:
    """Finds what must stay because a caller of it, or something that one of them called, has not ended.

    What has ended stays so, and only what runs calls anything: so callers are looked at first, and what
    they may have called meanwhile after that.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._odd: set[Node] | None = None

    def kept(self, table: str, tops: Iterable[str]) -> set[str]:
        """Return those of the instances of a table that belong to something which has not ended."""
        up = {top: {(table, top)} for top in tops}
        links = self._above({node for found in up.values() for node in found})
        for found in up.values():
            _follow(found, links)
        nodes = {node for found in up.values() for node in found}
        running = self._running(nodes)
        needed = self._needed_by_running()
        return {top for top, found in up.items() if found & running or found & needed}

    def _above(self, nodes: set[Node]) -> dict[Node, set[Node]]:
        """Return the callers of instances, of their callers, and so on."""
        known: dict[Node, set[Node]] = {}
        layer = set(nodes)
        while layer:
            for table in _LINKS:
                ids = sorted(one for name, one in layer if name == table)
                for row in self._rows(table, _KEYS[table], ids):
                    known[table, row[_KEYS[table]]] = set(_callers(table, row))
            found = {caller for node in layer for caller in known.get(node, ())}
            layer = found - known.keys() - layer
        return known

    def _running(self, nodes: set[Node]) -> set[Node]:
        """Return those that have not ended, and the roots below which something has not."""
        found: set[Node] = set()
        for table in _LINKS:
            ids = sorted(one for name, one in nodes if name == table)
            found |= {
                (table, row[_KEYS[table]]) for row in self._rows(table, _KEYS[table], ids, running=True)
            }
            if table == PROCESS_INSTANCES:
                found |= {(table, row[ROOT]) for row in self._rows(table, ROOT, ids, running=True)}
        return found

    def _needed_by_running(self) -> set[Node]:
        """Return what runs and does not name its caller as its root, with all callers."""
        running: set[Node] = set()
        cases = CASES in self._schema.tables and any_row(self._schema, CASES, "1 = 1")
        if cases:
            running |= self._of(CASES, "")
            linked = [
                f"t.{self._column(one)} IS NOT NULL" for one in (_SUPER_CASE, _CASE) if self._knows(one)
            ]
            if linked:
                running |= self._of(PROCESS_INSTANCES, f" AND ({' OR '.join(linked)})")
        if self._odd is None:
            # No engine starts another one like these: it is enough to look once.
            self._odd = self._without_root()
        running |= self._odd
        needed = set(running)
        _follow(needed, self._above(running))
        return needed

    def _without_root(self) -> set[Node]:
        if not self._knows(_SUPER):
            return set()
        own = f"t.{self._column(_SUPER)} IS NOT NULL"
        if self._knows(ROOT):
            root, key = self._column(ROOT), self._column(_INSTANCE)
            own += f" AND (t.{root} IS NULL OR t.{root} = t.{key})"
        return self._of(PROCESS_INSTANCES, f" AND {own}")

    def _of(self, table: str, more: str) -> set[Node]:
        schema = self._schema
        key, end = schema.column(table, _KEYS[table]), schema.column(table, _ENDS[table])
        sql = f"SELECT t.{key} FROM {schema.quoted(table)} AS t WHERE t.{end} IS NULL{more}"
        return {(table, str(one)) for (one,) in schema.database.query(sql)}

    def _rows(
        self, table: str, by: str, ids: list[str], *, running: bool = False
    ) -> Iterator[dict[str, Any]]:
        schema = self._schema
        if table not in schema.tables or not ids or not schema.has(table, by):
            return
        names = (_KEYS[table], *(column for column, _ in _LINKS[table] if schema.has(table, column)))
        where = f"t.{schema.column(table, _ENDS[table])} IS NULL" if running else "1 = 1"
        for row in lookup(schema, table, names, by, ids, where):
            yield dict(zip(names, row, strict=True))

    def _knows(self, column: str) -> bool:
        return self._schema.has(PROCESS_INSTANCES, column)

    def _column(self, column: str) -> str:
        return self._schema.column(PROCESS_INSTANCES, column)


def _callers(table: str, row: dict[str, Any]) -> Iterator[Node]:
    for column, other in _LINKS[table]:
        if row.get(column) is not None and (other, row[column]) != (table, row[_KEYS[table]]):
            yield other, row[column]


def _follow(found: set[Node], links: dict[Node, set[Node]]) -> None:
    """Add everything that links lead to."""
    layer = set(found)
    while layer:
        layer = {caller for node in layer for caller in links.get(node, ())} - found
        found |= layer
