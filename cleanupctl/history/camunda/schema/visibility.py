"""Whether a table that is not found is absent or only hidden: what cannot be read is not missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cleanupctl.history.camunda.schema.engine_table import EngineTable
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.diagnosis import Denied

_PROPERTIES = "ACT_GE_PROPERTY"


class Visibility:
    """What a login can see of an engine's tables; `found` has those that the catalogue shows."""

    def __init__(
        self, database: Database, prefix: str, schema: str | None, found: Mapping[str, Table]
    ) -> None:
        self._database = database
        self._prefix = prefix
        self._schema = schema
        self._found = found

    def denied(self, tables: Iterable[EngineTable]) -> Iterator[Denied]:
        """Yield what keeps tables from being read in full: each with the statement that changes it."""
        wanted = list(tables)
        present = {one.name: self._found[one.name] for one in wanted if one.name in self._found}
        for one in wanted:
            if one.name in present:
                yield from self._database.denied(present[one.name], sorted(one.needed_columns))
        absent = [one for one in wanted if one.name not in present and self._may_be_hidden(one)]
        version = self._version() if absent else ()
        for one in absent:
            if not version or one.since <= version:
                # Nobody can grant privileges on a table that is not there after all.
                yield self._database.hidden(self._prefix + one.name, self._schema, sure=one.in_every_version)

    def _may_be_hidden(self, table: EngineTable) -> bool:
        return self._database.may_be_hidden(self._prefix + table.name, self._schema)

    def _version(self) -> tuple[int, ...]:
        """Return the version that the engine's scripts have left; empty when nobody can tell."""
        database, place = self._database, self._database.place(self._prefix + _PROPERTIES, self._schema)
        value, name = database.quote("VALUE_"), database.quote("NAME_")
        try:
            rows = database.query(f"SELECT {value} FROM {place} WHERE {name} = 'schema.version'")
        except HistoryError:
            return ()
        text = str(rows[0][0]) if rows else ""
        parts = text.split("-", maxsplit=1)[0].split(".")
        return tuple(int(part) for part in parts[:2]) if all(part.isdigit() for part in parts) else ()


def require_sight(history: str, denied: Iterable[Denied]) -> None:
    """Raise HistoryError when anything is denied: what it says, and what to do."""
    found = list(denied)
    if found:
        reasons = "; ".join(dict.fromkeys(one.message for one in found))
        remedies = " ".join(dict.fromkeys(one.remedy for one in found if one.remedy))
        raise HistoryError(
            f"history {history}: nothing is deleted as long as not all of the engine's tables can be read:"
            f" {reasons}{f'; run {remedies}' if remedies else ''}"
        )
