"""Tables of the configuration file against the schema: known keys parsed, everything else a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanupctl.core.configuration.schema import CONFIGURATION_KEYS, Key, keys_of, table_of, tables_below
from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.settings.messages import closest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.configuration.faults import Faults
    from cleanupctl.core.configuration.toml_positions import KeyPath


@dataclass(frozen=True, slots=True)
class Given:
    """One table as it stands in the file: `raw` is everything in it, `values` what could be parsed."""

    path: KeyPath
    raw: dict[str, Any]
    values: dict[str, Any]

    def __contains__(self, key: object) -> bool:
        return key in self.raw


def read_table(parent: dict[str, Any], table: str, path: KeyPath, faults: Faults) -> Given:
    """Read the table at `path`, whose parent is given; left out, it is empty.

    `table` is its name in the schema. The caller reads the tables that stand in it.
    """
    raw = parent.get(str(path[-1]), {})
    if not isinstance(raw, dict):
        wanted = ".".join(str(part) for part in path)
        how = f"write [{wanted}] once, with its keys below"
        faults.add(path, f"{'a list' if isinstance(raw, list) else 'this'} is not a table: {how}")
        raw = {}
    return check_table(raw, table, path, faults)


def read_list(parent: dict[str, Any], table: str, path: KeyPath, faults: Faults) -> Iterator[Given]:
    """Read the list of tables at `path`; left out, it is empty. The caller reads what stands in each."""
    raw = parent.get(str(path[-1]), [])
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        faults.add(path, f"this is a list of tables: write [[{table}]] before the keys of each")
        return
    for index, item in enumerate(raw):
        yield check_table(item, table, (*path, index), faults)


def check_table(raw: dict[str, Any], table: str, path: KeyPath, faults: Faults) -> Given:
    """Parse the known keys of one table; unknown, missing and unusable ones are faults."""
    known = keys_of(table)
    within = tuple(name for other in tables_below(table) for name in other.names)
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name in known:
            _parse(known[name], value, (*path, name), values, faults)
        elif name not in within:
            faults.add((*path, name), _unknown(name, value, (*known, *within)))
    for name, key in known.items():
        if key.required and name not in raw:
            faults.add(path, f"{name} is missing: write {name} = {key.example}")
    return Given(path, raw, values)


def _parse(key: Key, value: object, path: KeyPath, values: dict[str, Any], faults: Faults) -> None:
    if isinstance(value, (dict, list)):
        faults.add(path, f"{shown(value)} is not {key.type.words}: write {key.name} = {key.example}")
        return
    try:
        values[key.name] = key.type.parse(value)
    except InvalidValueError as error:
        faults.add(path, error.message)


def _unknown(name: str, value: object, known: tuple[str, ...]) -> str:
    what = "no such table" if isinstance(value, (dict, list)) else "no such key"
    if hint := closest(name, known):
        return what + hint
    if (hint := _elsewhere(name)) and what == "no such key":
        return f"{what} here; {hint}"
    return f"{what}; known are {', '.join(known)}"


def _elsewhere(name: str) -> str:
    """Return where a key with this name, or nearly this name, would belong; "" if there is none."""
    near = closest(name, [key.name for key in CONFIGURATION_KEYS]).removeprefix("; did you mean ")
    for key in CONFIGURATION_KEYS:
        if near == f"{key.name}?":
            place = f"under {table_of(key.table).header}" if key.table else "before the first table"
            return f"{key.name} belongs {place}"
    return ""
