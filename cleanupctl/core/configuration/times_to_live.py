"""The times to live of an engine's history: [history.batch_ttl], [[history.ttl]], without_instance_ttl."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from cleanupctl.core.configuration.schema import keys_of
from cleanupctl.core.configuration.tables import read_list, read_table
from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.settings import BatchTtls, TtlOverride, WithoutInstanceTtls
from cleanupctl.core.settings.histories import BATCH_TYPES

if TYPE_CHECKING:
    from cleanupctl.core.configuration.faults import Faults
    from cleanupctl.core.configuration.tables import Given
    from cleanupctl.core.configuration.toml_positions import KeyPath

_MISSPELT = 0.9
"""Types that are this close to a known one are taken for misspelt; others are an application's own."""


def read_batch_ttls(history: Given, faults: Faults) -> BatchTtls:
    """Read [history.batch_ttl] of one history. Faults are added."""
    raw, path = history.raw.get("batch_ttl", {}), (*history.path, "batch_ttl")
    if not isinstance(raw, dict):
        faults.add(path, "this is not a table: write [history.batch_ttl] once, with types and days below it")
        return BatchTtls()
    found = {type_: _days(type_, value, (*path, type_), faults) for type_, value in raw.items()}
    return BatchTtls(default=found.pop("default", None), by_type=found)


def _days(type_: str, value: object, path: KeyPath, faults: Faults) -> int | None:
    keys = keys_of("history.batch_ttl")
    if type_ not in keys and type_ not in BATCH_TYPES:
        near = get_close_matches(type_, BATCH_TYPES, n=1, cutoff=_MISSPELT)
        if near:
            faults.add(path, f"no such type of batch operation; did you mean {near[0]}?")
            return None
    try:
        days = keys["default" if type_ == "default" else "TYPE"].type.parse(value)
    except InvalidValueError as error:
        faults.add(path, error.message)
        return None
    return days if isinstance(days, int) else None


def read_overrides(history: Given, faults: Faults) -> tuple[TtlOverride, ...]:
    """Read the [[history.ttl]] of one history. Faults are added."""
    overrides: list[TtlOverride] = []
    for given in read_list(history.raw, "history.ttl", (*history.path, "ttl"), faults):
        if not {"key", "ttl"} <= given.values.keys():
            continue
        one = TtlOverride(**given.values)
        if any(
            (one.key, one.tenant, one.kind) == (other.key, other.tenant, other.kind) for other in overrides
        ):
            faults.add((*given.path, "key"), "this definition stands above already: remove one of the two")
        overrides.append(one)
    return tuple(overrides)


def read_without_instance(history: Given, faults: Faults) -> WithoutInstanceTtls:
    """Read [history.without_instance_ttl] of one history. Faults are added."""
    path = (*history.path, "without_instance_ttl")
    given = read_table(history.raw, "history.without_instance_ttl", path, faults)
    return WithoutInstanceTtls(**given.values)
