"""What deleting has cost lately, and what it will cost: seconds a row of each table, from the job log."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cleanupctl.core.job import LogEntry
    from cleanupctl.core.run.cleaning import Expired

LEAST_ROWS = 1_000
"""Executions that removed less say more about starting than about deleting; so do their tables."""

MOST_EXECUTIONS = 20
"""Costs are taken from so many executions at most: older ones ran against another database."""

BRIEF_SECONDS = 0.1
"""Measured for so long, a table tells half of what it could about others: one pause may have been in it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the latest executions tell; without any that removed enough rows it tells nothing."""

    tables: Mapping[tuple[str, str], float]
    """Seconds a row, by history and table, of one job."""
    overhead: float = 0.0
    """Seconds of an execution besides deleting: connecting, planning, looking for what is left."""
    concurrency: float = 1.0
    """How many jobs were deleting at the same time, on average."""
    seconds: float = 0.0
    """How long they were deleting in all."""


@dataclass(frozen=True, slots=True)
class Work:
    """What deleting certain rows takes one job."""

    rows: int
    seconds: float
    assumed: float
    """The share of the seconds (0 to 1) that rests on typical costs, not on measured ones."""


def measured(entries: Iterable[LogEntry]) -> Measured:
    """Costs from the latest executions (newest first)."""
    useful: list[LogEntry] = []
    for entry in entries:
        if entry.duration is not None and sum(one.rows for one in entry.removed) >= LEAST_ROWS:
            useful.append(entry)
            if len(useful) == MOST_EXECUTIONS:
                break
    rows: Counter[tuple[str, str]] = Counter()
    seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
    for entry in useful:
        for key, number, spent in _parts(entry):
            rows[key] += number
            seconds[key] += spent
    enough = {key for key, number in rows.items() if number >= LEAST_ROWS} or set(rows)
    overhead = min((_duration(entry) - _deleting(entry) for entry in useful), default=0.0)
    return Measured(
        {key: seconds[key] / rows[key] for key in enough},
        max(0.0, overhead),
        _concurrency(useful),
        sum(map(_deleting, useful)),
    )


def _parts(entry: LogEntry) -> Iterator[tuple[tuple[str, str], int, float]]:
    """Rows of each table, and the seconds they would take in a long execution."""
    total = sum(one.rows for one in entry.removed)
    for one in entry.removed:
        # Entries of older versions know only the whole.
        spent = one.rows / one.rate if one.rate else _duration(entry) * one.rows / total
        yield (one.history, one.table), one.rows, spent


def _duration(entry: LogEntry) -> float:
    return entry.duration.total_seconds() if entry.duration is not None else 0.0


def _deleting(entry: LogEntry) -> float:
    if any(one.seconds is None for one in entry.removed):
        return _duration(entry)
    return sum(one.seconds or 0.0 for one in entry.removed)


def _concurrency(entries: Sequence[LogEntry]) -> float:
    """Seconds of deleting by the seconds in which anything was deleted."""
    spans = sorted((entry.time.timestamp() - _deleting(entry), entry.time.timestamp()) for entry in entries)
    busy = covered = 0.0
    last = float("-inf")
    for start, end in spans:
        busy += end - start
        covered += max(0.0, end - max(start, last))
        last = max(last, end)
    return busy / covered if covered else 1.0


def work(costs: Measured, expired: Sequence[Expired]) -> Work:
    """Add up what all the rows take.

    A table that was not measured costs what its shape lets expect, in proportion to those that were:
    of its own history, else of any; the less, the shorter they were measured. Without any the typical
    costs are taken as they are.
    """
    typical = {(one.history, one.table): one.typical_seconds for one in expired}
    total = assumed = 0.0
    for one in expired:
        key = (one.history, one.table)
        if key in costs.tables:
            total += one.rows * costs.tables[key]
            continue
        factor = _factor(costs, typical, one.history) or _factor(costs, typical, None)
        seconds = one.rows * one.typical_seconds * (factor or 1.0)
        total += seconds
        assumed += seconds
    return Work(sum(one.rows for one in expired), total, assumed / total if total else 0.0)


def _factor(costs: Measured, typical: Mapping[tuple[str, str], float], history: str | None) -> float | None:
    """How many times the typical costs the measured ones are."""
    pairs = [
        (seconds, typical[key])
        for key, seconds in costs.tables.items()
        if key in typical and history in {None, key[0]}
    ]
    expected = sum(usual for _, usual in pairs)
    if not expected:
        return None
    trust = costs.seconds / (costs.seconds + BRIEF_SECONDS)
    return float((sum(seconds for seconds, _ in pairs) / expected) ** trust)
