"""An instance found by its id, and what its fate depends on, in an engine's tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cleanupctl.history.camunda.explain.blockers import with_blockers
from cleanupctl.history.camunda.schema.definitions import (
    ENGINE_KINDS,
    INSTANCE_TABLES,
    TENANT,
    load_definitions,
    missing_definition,
)
from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME, ROOT
from cleanupctl.history.camunda.schema.tables import BATCHES, find_schema
from cleanupctl.history.camunda.strategies.eligibility import SUPER, above_of
from cleanupctl.history.camunda.strategies.explained import Facts, Instance
from cleanupctl.history.camunda.strategies.registry import strategy_of
from cleanupctl.history.camunda.strategies.ttl import DEFAULT, OVERRIDE, batch_ttl
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.definitions import Definition, EngineKind
    from cleanupctl.history.camunda.schema.engine_table import Kind
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.camunda.strategies.strategy import Strategy

_LINKS = (ROOT, SUPER, "ROOT_DEC_INST_ID_", "PROC_INST_ID_", "CASE_INST_ID_")
"""Columns with the id of another instance, which may govern this one."""
_CONFIGURED = {
    OVERRIDE: "a [[history.ttl]] of the configuration",
    DEFAULT: "default_ttl of the configuration",
}
NO_DEFINITION = "its definition is gone, and with it the time to live"
_DEEPEST = 1_000
"""Callers followed upwards; a longer chain would be a circle."""


def load_facts(settings: CamundaSettings, identity: str) -> Facts | None:
    """Return what is known of the process, decision, case or batch with an id; None when there is none.

    Raise HistoryError and HistoryUnreachableError.
    """
    database = connect(settings.url)
    try:
        schema = find_schema(database, settings, INSTANCE_TABLES)
        strategy = strategy_of(settings)
        loader = _Loader(schema, strategy)
        for kind in ENGINE_KINDS:
            facts = loader.facts(kind, identity)
            if facts:
                return with_blockers(facts, schema, strategy)
        batch = loader.batch(identity)
        return with_blockers(batch, schema, strategy) if batch else None
    finally:
        database.close()


@dataclass(frozen=True, slots=True)
class _Found:
    instance: Instance
    links: dict[str, str | None]


class _Loader:
    def __init__(self, schema: Schema, strategy: Strategy) -> None:
        self._schema = schema
        self._strategy = strategy
        self._settings = strategy.settings

    def facts(self, kind: Kind, identity: str) -> Facts | None:
        found = self._instance(ENGINE_KINDS[kind], identity)
        if found is None:
            return None
        if self._strategy.by_instance:
            above, gone = self._governing(found) if self._settings.hierarchy == "root" else (None, False)
        else:
            above, gone = self._named_root(found)
        root = above.instance if above and above.instance.id != found.instance.id else found.instance
        return self._facts(found.instance, root, root_missing=gone)

    def _facts(self, instance: Instance, root: Instance, *, root_missing: bool = False) -> Facts:
        settings = self._settings
        table = BATCHES if instance.kind == "batch" else ENGINE_KINDS[instance.kind].instances
        return Facts(
            instance,
            root,
            root_missing,
            self._strategy,
            settings.include_unfinished,
            settings.hierarchy == "root",
            has_removal_time=self._schema.has(table, REMOVAL_TIME),
        )

    def _named_root(self, found: _Found) -> tuple[_Found | None, bool]:
        """Return the root that the row names, and whether that is missing."""
        process, decision = found.links[ROOT], found.links["ROOT_DEC_INST_ID_"]
        root = process or decision
        if root is None or root == found.instance.id:
            return None, False
        above = self._instance(ENGINE_KINDS["process" if process else "decision"], root)
        return above, above is None

    def _governing(self, found: _Found) -> tuple[_Found | None, bool]:
        """Return what governs the whole hierarchy; and whether a root is named that is missing."""
        match found.instance.kind:
            case "process":
                return self._top(found)
            case "decision":
                return self._owner(found)
            case _:
                return None, False

    def _top(self, found: _Found) -> tuple[_Found, bool]:
        """Follow the root, or the callers of rows that do not name it, as far as they are there."""
        for _ in range(_DEEPEST):
            above = above_of(found.links)
            if above is None:
                return found, False
            caller = self._instance(ENGINE_KINDS["process"], above)
            if caller is None:
                return found, True
            found = caller
        return found, False

    def _owner(self, found: _Found) -> tuple[_Found | None, bool]:
        """Return the process or the case that evaluated a decision, else the decision that required it."""
        for column, kind in (("PROC_INST_ID_", "process"), (ROOT, "process"), ("CASE_INST_ID_", "case")):
            identity = found.links[column]
            owner = self._instance(ENGINE_KINDS[cast("Kind", kind)], identity) if identity else None
            if owner:
                return (self._top(owner)[0] if kind == "process" else owner), False
        root = found.links["ROOT_DEC_INST_ID_"]
        if root is None or root == found.instance.id:
            return None, False
        above = self._instance(ENGINE_KINDS["decision"], root)
        return above, above is None

    def _instance(self, kind: EngineKind, identity: str) -> _Found | None:
        schema, table = self._schema, kind.instances
        start = kind.started
        own = (kind.instance_id, kind.definition_id, start, kind.ended, REMOVAL_TIME)
        names = (*own, kind.definition_key or "", TENANT)
        row = self._row(table, kind.instance_id, identity, (*names, *_LINKS))
        if row is None:
            return None
        found, definition, started, ended, removal, its_key, tenant = row[:7]
        gone = missing_definition(kind.kind, definition, its_key, tenant)
        key, ttl, source, remedy = self._time_to_live(gone)
        instance = Instance(
            kind.kind,
            str(found),
            key,
            self._moment(table, start, started),
            self._moment(table, kind.ended, ended),
            self._moment(table, REMOVAL_TIME, removal) if schema.has(table, REMOVAL_TIME) else None,
            ttl,
            source,
            remedy,
        )
        return _Found(instance, dict(zip(_LINKS, row[7:], strict=True)))

    def batch(self, identity: str) -> Facts | None:
        names = ("ID_", "TYPE_", "START_TIME_", "END_TIME_", REMOVAL_TIME)
        row = self._row(BATCHES, "ID_", identity, names)
        if row is None:
            return None
        ttl = batch_ttl(str(row[1]), self._settings)
        configured = {OVERRIDE: f"batch_ttl of {row[1]}", DEFAULT: "default of batch_ttl"}
        source = configured.get(ttl.source, f"there is no time to live for batches of type {row[1]}")
        if ttl.days is None and ttl.source in configured:
            source += ", which keeps them for ever"
        remedy = f'`{row[1]} = "P30D"` in [history.batch_ttl] of the configuration gives it one'
        if not self._strategy.by_instance:
            # The engine wrote what counts, by a configuration of its own.
            remedy = ""
        start, end, removal = (
            self._moment(BATCHES, name, value) for name, value in zip(names[2:], row[2:], strict=True)
        )
        batch = Instance("batch", str(row[0]), str(row[1]), start, end, removal, ttl.days, source, remedy)
        return self._facts(batch, batch)

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

    def _time_to_live(self, gone: Definition) -> tuple[str | None, int | None, str, str]:
        """Return the definition's key, the days, where they come from, and what gives it some.

        `gone` is what counts when the definition is.
        """
        kind, identity = gone.kind, gone.id
        found = load_definitions(self._schema, kind, f"t.{self._id_of(kind)} = %s", identity)
        definition = found[0] if found else gone
        key = definition.key or identity
        configure = f'a [[history.ttl]] with key = "{key}", or default_ttl, in the configuration gives it one'
        set_it = f"cleanupctl history ttl set {key} P30D --kind {kind} --all-versions gives it one"
        ttl = self._strategy.ttl(definition)
        if ttl.source in _CONFIGURED:
            source = _CONFIGURED[ttl.source]
            if ttl.days is None:
                source += " keeps it for ever"
            return key, ttl.days, source, "take that away, or give it days"
        if definition.missing:
            return key, None, NO_DEFINITION, configure if self._strategy.by_instance else ""
        if definition.ttl is None:
            return key, None, f"definition {definition.id} has no time to live", set_it
        return key, definition.ttl, f"HISTORY_TTL_ of {definition.id}", ""

    def _id_of(self, kind: Kind) -> str:
        table = ENGINE_KINDS[kind].definitions
        return self._schema.column(table, "ID_") if table in self._schema.tables else "ID_"
