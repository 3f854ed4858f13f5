"""The [[history]] part of the configuration: raw tables in, histories out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.configuration.schema import keys_of
from cleanupctl.core.configuration.tables import Given, read_list
from cleanupctl.core.configuration.times_to_live import read_times_to_live
from cleanupctl.core.settings import CamundaSettings, HistorySettings, TableSettings, TablesSettings

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
    tables = _tables(given, faults)
    times_to_live = read_times_to_live(given, faults)
    url = databases.resolve(given, faults)
    if url is None or kind is None or "name" not in given.values:
        return None
    own = {key: value for key, value in given.values.items() if key not in ("password_file", "kind")}
    own |= {"url": url, "replica_url": databases.replica(given, url, faults)}
    own.setdefault("timezone", zone)
    if kind == "tables":
        others = keys_of("history").values()
        engine_keys = {key.name for key in others if key.kind == "camunda"}
        own = {key: value for key, value in own.items() if key not in engine_keys}
        return TablesSettings(**own, tables=tables)
    _split_prefix(own, given, faults)
    own.setdefault("strategy", strategy)
    return CamundaSettings(**own, **times_to_live)


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
    for name, key in keys_of("history").items():
        if kind and key.kind and key.kind != kind and name in given:
            faults.add(
                (*given.path, name),
                f'belongs to histories of kind "{key.kind}" only: remove it, or change kind',
            )
    for name in ("batch_ttl", "ttl"):
        if kind == "tables" and name in given:
            faults.add(
                (*given.path, name), 'belongs to histories of kind "camunda" only: remove it, or change kind'
            )
    if kind == "camunda" and "table" in given:
        faults.add(
            (*given.path, "table"), 'belongs to histories of kind "tables" only: remove it, or change kind'
        )
    if kind == "tables" and not given.raw.get("table"):
        # an empty policy is a mistake, never "every table"
        faults.add(
            given.path, "names no table: write [[history.table]] with name, time_column and ttl below it"
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
