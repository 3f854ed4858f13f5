"""Finding an instance by its id, and what its fate depends on, in an engine's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history import connect
from cleanupctl.history.camunda.definitions import DEFINITION_TABLES, PLACES, Definition, load_definitions
from cleanupctl.history.camunda.explain import Facts, Instance
from cleanupctl.history.camunda.schema import BATCHES, REMOVAL_TIME, find_schema
from cleanupctl.history.camunda.ttl import DEFAULT, OVERRIDE, batch_ttl, definition_ttl
from cleanupctl.history.sql import Condition, Target, as_instant

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from cleanupctl.core.settings import HistorySettings
    from cleanupctl.history.camunda.definitions import Kind, Place
    from cleanupctl.history.camunda.schema import Schema

_TABLES = (*(place.instances for place in PLACES.values()), BATCHES, *DEFINITION_TABLES)
_STARTS = {"process": "START_TIME_", "decision": "EVAL_TIME_", "case": "CREATE_TIME_"}
_CONFIGURED = {
    OVERRIDE: "a [[history.ttl]] of the configuration",
    DEFAULT: "default_ttl of the configuration",
}
NO_DEFINITION = "its definition is gone, and with it the time to live"


def load_facts(settings: HistorySettings, identity: str) -> Facts | None:
    """Look an id up among processes, decisions, cases and batches; None when it is none of them.

    Raises HistoryError and HistoryUnreachableError.
    """
    database = connect(settings.url)
    try:
        schema = find_schema(database, settings, _TABLES)
        loader = _Loader(schema, settings)
        for kind in PLACES:
            facts = loader.facts(kind, identity)
            if facts:
                return facts
        batch = loader.batch(identity)
        return loader.alone(batch) if batch else None
    finally:
        database.close()


class _Loader:
    def __init__(self, schema: Schema, settings: HistorySettings) -> None:
        self._schema = schema
        self._settings = settings

    def facts(self, kind: Kind, identity: str) -> Facts | None:
        found = self._instance(PLACES[kind], identity)
        if found is None:
            return None
        instance, root_id, root_kind = found
        if root_id is None or root_id == instance.id:
            return self.alone(instance)
        above = self._instance(PLACES[root_kind], root_id)
        return self._facts(instance, above[0] if above else instance, root_gone=above is None)

    def alone(self, instance: Instance) -> Facts:
        return self._facts(instance, instance, root_gone=False)

    def _facts(self, instance: Instance, root: Instance, *, root_gone: bool) -> Facts:
        settings = self._settings
        by_root = settings.hierarchy == "root"
        return Facts(instance, root, root_gone, settings.strategy, settings.include_unfinished, by_root)

    def _instance(self, place: Place, identity: str) -> tuple[Instance, str | None, Kind] | None:
        schema, table = self._schema, place.instances
        start = _STARTS[place.kind]
        names = (place.instance_id, place.definition_id, start, place.ended, REMOVAL_TIME)
        roots = ("ROOT_PROC_INST_ID_", "ROOT_DEC_INST_ID_")
        row = self._row(table, place.instance_id, identity, (*names, *roots))
        if row is None:
            return None
        found, definition, started, ended, removal, root_process, root_decision = row
        key, ttl, source = self._time_to_live(place.kind, definition)
        instance = Instance(
            place.kind,
            str(found),
            key,
            self._moment(table, start, started),
            self._moment(table, place.ended, ended),
            self._moment(table, REMOVAL_TIME, removal) if schema.has(table, REMOVAL_TIME) else None,
            ttl,
            source,
        )
        return instance, root_process or root_decision, "process" if root_process else "decision"

    def batch(self, identity: str) -> Instance | None:
        names = ("ID_", "TYPE_", "START_TIME_", "END_TIME_", REMOVAL_TIME)
        row = self._row(BATCHES, "ID_", identity, names)
        if row is None:
            return None
        ttl = batch_ttl(str(row[1]), self._settings).days
        source = "configured for this type of batch" if ttl is not None else "no time to live for this type"
        start, end, removal = (
            self._moment(BATCHES, name, value) for name, value in zip(names[2:], row[2:], strict=True)
        )
        return Instance("batch", str(row[0]), str(row[1]), start, end, removal, ttl, source)

    def _row(self, table: str, key: str, identity: str, names: tuple[str, ...]) -> tuple[Any, ...] | None:
        schema = self._schema
        if table not in schema.tables:
            return None
        columns = ", ".join(schema.column(table, n) if schema.has(table, n) else "NULL" for n in names)
        sql = f"SELECT {columns} FROM {schema.quoted(table)} WHERE {schema.column(table, key)} = %s"
        rows = schema.database.query(sql, (identity,))
        return rows[0] if rows else None

    def _moment(self, table: str, name: str, value: Any) -> datetime | None:
        if value is None:
            return None
        found = self._schema.tables[table]
        target = Target(found, found.column(name), Condition(""))
        return as_instant(value, target, self._settings.timezone, None)

    def _time_to_live(self, kind: Kind, identity: str) -> tuple[str | None, int | None, str]:
        """Return the definition's key, the days, and where they come from.

        Under the removal-time strategy the days are those that the engine used, from the definition.
        """
        found = load_definitions(self._schema, kind, f"t.{self._id_of(kind)} = %s", identity)
        gone = Definition(kind, identity, key=identity.split(":", maxsplit=1)[0], gone=True)
        definition = found[0] if found else gone
        ttl = definition_ttl(definition, self._settings)
        if self._settings.strategy == "end-time" and ttl.source in _CONFIGURED:
            source = _CONFIGURED[ttl.source]
            return definition.key, ttl.days, source if ttl.days is not None else f"{source} keeps it for ever"
        if definition.gone:
            return definition.key, None, NO_DEFINITION
        if definition.ttl is None:
            return definition.key, None, f"definition {definition.id} has no time to live"
        return definition.key, definition.ttl, f"HISTORY_TTL_ of {definition.id}"

    def _id_of(self, kind: Kind) -> str:
        table = PLACES[kind].definitions
        return self._schema.column(table, "ID_") if table in self._schema.tables else "ID_"
