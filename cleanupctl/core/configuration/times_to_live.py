"""The times to live of an engine's history: [history.batch_ttl] and [[history.ttl]]."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from cleanupctl.core.configuration.schema import keys_of
from cleanupctl.core.configuration.tables import Given, read_list
from cleanupctl.core.configuration.values import BATCH_TYPES
from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.settings import TtlOverride

if TYPE_CHECKING:
    from cleanupctl.core.configuration.faults import Faults
    from cleanupctl.core.configuration.toml_positions import KeyPath

_BATCH_TABLE = "history.batch_ttl"
_MISSPELT = 0.9
"""Types that are this close to a known one are taken for misspelt; others are an application's own."""


def read_times_to_live(history: Given, faults: Faults) -> dict[str, Any]:
    """Read both tables of one history; returns arguments for HistorySettings. Faults are added."""
    batches = _batches(history.raw.get("batch_ttl", {}), (*history.path, "batch_ttl"), faults)
    return {
        "batch_default_ttl": batches.pop("default", None),
        "batch_ttls": batches,
        "ttls": _overrides(history, faults),
    }


def _batches(raw: object, path: KeyPath, faults: Faults) -> dict[str, int | None]:
    if not isinstance(raw, dict):
        faults.add(path, "this is not a table: write [history.batch_ttl] once, with types and days below it")
        return {}
    keys = keys_of(_BATCH_TABLE)
    found: dict[str, int | None] = {}
    for type_, value in raw.items():
        if type_ != "default" and type_ not in BATCH_TYPES:
            near = get_close_matches(type_, BATCH_TYPES, n=1, cutoff=_MISSPELT)
            if near:
                faults.add((*path, type_), f"no such type of batch operation; did you mean {near[0]}?")
                continue
        try:
            days = keys["default" if type_ == "default" else "TYPE"].parse(value)
        except InvalidValueError as error:
            faults.add((*path, type_), error.message)
            continue
        found[type_] = days if isinstance(days, int) else None
    return found


def _overrides(history: Given, faults: Faults) -> tuple[TtlOverride, ...]:
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
