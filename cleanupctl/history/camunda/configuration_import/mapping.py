"""What the engine's cleanup properties become here: property in, key and value out, or why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.core.configuration.schema import keys_of
from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.settings.window import DAYS
from cleanupctl.history.camunda.configuration_import.properties import EngineProperties, is_unresolved, plain

if TYPE_CHECKING:
    from collections.abc import Callable

_IGNORED_OFFSET = re.compile(r"(\d{1,2}:\d{2})(?:Z|[+-]\d{2}:\d{2})")
_NOT_SET = str(-(2**31))
"""The engine's word for "use the general number of retries"."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A property that has a counterpart: the value as it stood there, and where it went."""

    name: str
    value: str
    table: str
    key: str
    result: str | int | bool
    note: str | None = None

    @property
    def path(self) -> str:
        """Key path in the new file, such as `cleanup.retries`."""
        return f"{self.table}.{self.key}"


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A property, engine or profile that was not taken over; `value` is None where it does not matter."""

    name: str
    value: str | None
    reason: str


_STRATEGIES = {"removaltimebased": "removal-time", "endtimebased": "end-time"}
_BATCH_NOTE = "counts under the end-time strategy"
_BATCHES = "batchOperationsForHistoryCleanup"
_BATCH_SIZE_NOTE = "the engine takes 500 at most, 10000 is usual here"


def _number(text: str) -> str | int:
    return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else text


def _flag(text: str) -> str | bool:
    return {"true": True, "false": False}.get(text.lower(), text)


def _strategy(text: str) -> str:
    return _STRATEGIES.get(text.lower(), text)


def _days(text: str) -> str:
    return f"P{int(text)}D" if text.isascii() and text.isdigit() and len(text) < 12 else text


_MAPPING: dict[str, tuple[str, str, Callable[[str], str | int | bool], str | None]] = {
    "historyCleanupEnabled": ("cleanup", "enabled", _flag, None),
    "historyCleanupStrategy": ("cleanup", "strategy", _strategy, None),
    "historyCleanupDegreeOfParallelism": ("cleanup", "parallelism", _number, None),
    "historyCleanupBatchSize": ("cleanup", "batch_size", _number, _BATCH_SIZE_NOTE),
    "historyCleanupDefaultNumberOfRetries": ("cleanup", "retries", _number, None),
    "defaultNumberOfRetries": ("cleanup", "retries", _number, "what the engine has for all its jobs"),
    "historyCleanupJobPriority": ("cleanup", "job_priority", _number, None),
    "historyCleanupJobLogTimeToLive": ("history", "cleanup_log_ttl", _days, None),
    "databaseSchema": ("history", "schema", str, None),
    "databaseTablePrefix": ("history", "table_prefix", str, None),
    "taskMetricsTimeToLive": ("history", "task_metrics_ttl", _days, None),
    "batchOperationHistoryTimeToLive": ("history.batch_ttl", "default", _days, _BATCH_NOTE),
}
_PLAIN_MAPPING = {plain(name): target for name, target in _MAPPING.items()}

_NO_COUNTERPART = {
    plain(name): reason
    for name, reason in {
        "historyCleanupBatchThreshold": "a run goes on until nothing is left, so it needs no threshold",
        "historyCleanupMetricsEnabled": "the job log has what was removed, the engine's metrics do not",
        "historyTimeToLive": "it stays with the engine, which writes it on the definitions it deploys",
        "historyRemovalTimeStrategy": "it stays with the engine, which writes the removal times",
    }.items()
}


def map_properties(found: EngineProperties) -> tuple[list[Mapped], list[Unmapped]]:
    """Divide what was found into what has a counterpart, with its value, and what has none."""
    taken: list[Mapped] = []
    left: list[Unmapped] = []
    values = dict(found.values)
    if values.get(plain("historyCleanupDefaultNumberOfRetries")) == _NOT_SET:
        del values[plain("historyCleanupDefaultNumberOfRetries")]
    if plain("historyCleanupDefaultNumberOfRetries") in values:
        values.pop(plain("defaultNumberOfRetries"), None)
    for name, target in _PLAIN_MAPPING.items():
        if name in values:
            _sort(_taken(found.spelling[name], values.pop(name), *target), taken, left)
    if plain(_BATCHES) in values:
        _map_batches(found.spelling[plain(_BATCHES)], values.pop(plain(_BATCHES)), taken, left)
    _map_windows(found, values, taken, left)
    for name, value in values.items():
        if name in _NO_COUNTERPART:
            left.append(Unmapped(found.spelling[name], value, _NO_COUNTERPART[name]))
        elif "historycleanup" in name:
            left.append(Unmapped(found.spelling[name], value, "this property is not known"))
    left += _elsewhere(found)
    return taken, left


def _map_batches(name: str, value: str, taken: list[Mapped], left: list[Unmapped]) -> None:
    """Take the times to live of the types of batch operations over, as `type=days, type=days`."""
    for entry in value.split(","):
        type_, _, days = (part.strip() for part in entry.partition("="))
        # The engine keeps a type for ever that has an entry without days.
        days = "none" if days.lower() in ("", "null", "none", "~") else days
        if type_:
            _sort(
                _taken(f"{name}[{type_}]", days, "history.batch_ttl", type_, _days, _BATCH_NOTE), taken, left
            )


def _sort(outcome: Mapped | Unmapped, taken: list[Mapped], left: list[Unmapped]) -> None:
    if isinstance(outcome, Mapped):
        taken.append(outcome)
    else:
        left.append(outcome)


def _taken(
    name: str, value: str, table: str, key: str, convert: Callable[[str], str | int | bool], note: str | None
) -> Mapped | Unmapped:
    if is_unresolved(value):
        return Unmapped(name, value, f"its value is not in the file: set {table}.{key}")
    result = convert(value)
    try:
        keys = keys_of("window.DAY" if table.startswith("window.") else table)
        keys[key if key in keys else "TYPE"].type.parse(result)
    except InvalidValueError as error:
        return Unmapped(name, value, error.message)
    return Mapped(name, value, table, key, result, note)


def _map_windows(
    found: EngineProperties, values: dict[str, str], taken: list[Mapped], left: list[Unmapped]
) -> None:
    """Take the windows over, each as a whole or not at all."""
    given: dict[str, list[tuple[str, str, str]]] = {}
    for number, (start, end) in found.windows.items():
        name, day = f"historyCleanupBatchWindows[{number}]", _day(number)
        times = [(key, name, time) for key, time in (("start", start), ("end", end)) if time]
        if day:
            given[f"window.{day}"] = times
        else:
            left.append(Unmapped(name, None, "this is no weekday: 1 is Sunday, 7 is Saturday"))
    for day in ("", *DAYS):
        names = {key: f"{day}historycleanupbatchwindow{key}time" for key in ("start", "end")}
        times = [
            (key, found.spelling[name], values.pop(name)) for key, name in names.items() if name in values
        ]
        if times:  # the properties of a weekday come before the map
            given[f"window.{day}" if day else "window"] = times
    for table, times in given.items():
        _map_window(table, times, taken, left)


def _map_window(
    table: str, times: list[tuple[str, str, str]], taken: list[Mapped], left: list[Unmapped]
) -> None:
    outcomes = [_taken(name, *_time(table, key, time)) for key, name, time in times]
    bad = [outcome for outcome in outcomes if isinstance(outcome, Unmapped)]
    if "start" not in {key for key, _, _ in times}:
        left.extend(Unmapped(name, time, "there is no start for it") for _, name, time in times)
    elif bad:
        left.extend(bad)
        left.extend(
            Unmapped(
                each.name, each.value, f"the other half of this window cannot be used: see {bad[0].name}"
            )
            for each in outcomes
            if isinstance(each, Mapped)
        )
    else:
        taken.extend(each for each in outcomes if isinstance(each, Mapped))


def _time(
    table: str, key: str, time: str
) -> tuple[str, str, str, Callable[[str], str | int | bool], str | None]:
    """Return what `_taken` needs; an offset that the engine does not see is not taken over either."""
    if ignored := _IGNORED_OFFSET.fullmatch(time):
        return time, table, key, lambda _: ignored[1], "without its offset, which the engine ignores"
    return time, table, key, str, None


def _day(number: str) -> str | None:
    """Return the weekday of a key in the engine's map: 1 is Sunday; or the name of Java's constant."""
    if number.lower() in DAYS:
        return number.lower()
    return DAYS[(int(number) + 5) % 7] if number in {"1", "2", "3", "4", "5", "6", "7"} else None


def _elsewhere(found: EngineProperties) -> list[Unmapped]:
    left = []
    for name, where in found.elsewhere:
        if name == "process-engine":
            left.append(
                Unmapped(
                    f"process-engine {where}", None, "it is another engine of this file: import it by name"
                )
            )
        elif plain(name) in _PLAIN_MAPPING or "history" in plain(name):
            left.append(
                Unmapped(name, None, f"it holds in {where} only: set it by hand where that is active")
            )
    return left
