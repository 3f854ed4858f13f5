"""The [[history]] part of the configuration: raw tables in, histories out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.configuration.schema import keys_of, tables_below
from cleanupctl.core.configuration.tables import Given, read_list
from cleanupctl.core.configuration.times_to_live import (
    read_batch_ttls,
    read_overrides,
    read_without_instance,
)
from cleanupctl.core.settings import (
    HISTORY_KINDS,
    CamundaSettings,
    HistorySettings,
    TableSettings,
    TablesSettings,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cleanupctl.core.configuration.databases import Databases
    from cleanupctl.core.configuration.faults import Faults


def read_histories(
    document: dict[str, Any], zone: ZoneInfo, strategy: str, databases: Databases, faults: Faults
) -> tuple[HistorySettings, ...]:
    """Check and build the histories; `zone` and `strategy` hold where a history names none.

    Faults are added, and a history that has one may be left out.
    """
    histories = []
    first: dict[str, int] = {}
    for number, given in enumerate(read_list(document, "history", ("history",), faults), start=1):
        name = given.values.get("name")
        if name is not None and first.setdefault(name, number) != number:
            faults.add((*given.path, "name"), f"history[{first[name]}] has this name too: choose another")
        history = _history(given, zone, strategy, databases, faults)
        if history:
            histories.append(history)
    return tuple(histories)


def _history(
    given: Given, zone: ZoneInfo, strategy: str, databases: Databases, faults: Faults
) -> HistorySettings | None:
    kind = given.values.get("kind")
    _check_kind(given, kind, faults)
    overrides, batch_ttls = read_overrides(given, faults), read_batch_ttls(given, faults)
    without_instance = read_without_instance(given, faults)
    tables = _tables(given, faults)
    url = databases.resolve(given, faults)
    if url is None or kind is None or "name" not in given.values:
        return None
    known = keys_of("history")
    own = {name: value for name, value in given.values.items() if known[name].kind in (None, kind)}
    del own["kind"]
    own |= {"url": url, "replica_url": databases.replica(given, url, faults)}
    own.setdefault("timezone", zone)
    if HISTORY_KINDS[kind] is TablesSettings:
        return TablesSettings(**own, tables=tables)
    _split_prefix(own, given, faults)
    own.setdefault("strategy", strategy)
    return CamundaSettings(**own, batch_ttl=batch_ttls, without_instance_ttl=without_instance, ttls=overrides)


def _split_prefix(own: dict[str, Any], given: Given, faults: Faults) -> None:
    """Take the schema out of a prefix: the engine's databaseTablePrefix may be `SCHEMA.` or `SCHEMA.PRE_`."""
    schema, dot, prefix = own.get("table_prefix", "").rpartition(".")
    if not dot:
        return
    if own.setdefault("schema", schema) != schema:
        faults.add(
            (*given.path, "table_prefix"),
            f"names schema {schema}, and schema says {own['schema']}: name it once",
        )
    own["table_prefix"] = prefix


def _check_kind(given: Given, kind: str | None, faults: Faults) -> None:
    if kind is None:
        return
    for table in tables_below("history"):
        name = table.names[0]
        if table.kind == kind and table.declared.needed and not given.raw.get(name):
            # an empty policy is a mistake, never "every table"
            required = [key.name for key in table.keys.values() if key.required]
            keys = f"{', '.join(required[:-1])} and {required[-1]}"
            faults.add(given.path, f"names no {name}: write {table.header} with {keys} below it")
    belongs = {name: key.kind for name, key in keys_of("history").items()}
    belongs |= {table.names[0]: table.kind for table in tables_below("history")}
    for name, only in belongs.items():
        if only not in (None, kind) and name in given:
            faults.add(
                (*given.path, name), f'belongs to histories of kind "{only}" only: remove it, or change kind'
            )


def _tables(history: Given, faults: Faults) -> tuple[TableSettings, ...]:
    tables: list[TableSettings] = []
    for given in read_list(history.raw, "history.table", (*history.path, "table"), faults):
        if not {"name", "time_column", "ttl"} <= given.values.keys():
            continue
        defaults: dict[str, Any] = {"schema": history.values.get("schema")}
        table = TableSettings(**(defaults | given.values))
        if any((table.schema, table.name) == (other.schema, other.name) for other in tables):
            faults.add((*given.path, "name"), "this table stands above already: each needs one time to live")
        tables.append(table)
    return tuple(tables)
