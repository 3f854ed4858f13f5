"""Measuring ways of doing the same in turn (A B A B …): medians, ratios, and a table or JSON of them."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Measurement:
    """One execution: how long it took, how many rows it was for, and how long its transactions took."""

    seconds: float
    rows: int = 0
    transactions: tuple[float, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    pace: tuple[tuple[float, int], ...] = ()
    """Of each transaction, in order: seconds from the start to its end, and its rows."""


Results = dict[str, list[Measurement]]


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is measured")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser


def alternate(
    ways: Mapping[str, Callable[[], Measurement]], *, rounds: int, before: Callable[[], object] | None = None
) -> Results:
    """Measure each way once a round, `before` each time; the order turns round from round to round."""
    results: Results = {name: [] for name in ways}
    for number in range(rounds):
        for name in list(ways) if number % 2 == 0 else list(reversed(ways)):
            if before:
                before()
            measured = ways[name]()
            results[name].append(measured)
            print(f"round {number + 1} of {rounds}, {name}: {measured.seconds:.3f} s", file=sys.stderr)
    return results


def report(title: str, results: Results, *, baseline: str, as_json: bool) -> None:
    """Print medians and their ratios to the baseline: above 1 is faster than it."""
    base = _median(results[baseline])
    rows = [_row(name, measured, base) for name, measured in results.items()]
    if as_json:
        print(json.dumps({"title": title, "baseline": baseline, "ways": rows}, indent=2))
        return
    print(f"\n{title}\n(median of {len(results[baseline])}; speed against {baseline!r}, above 1 is faster)\n")
    heads = ("way", "seconds", "rows/s", "speed", "transactions", "p95 s", "longest s", "notes")
    lines = [heads, *(_texts(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    for line in lines:
        cells = [
            text.ljust(width) if not place else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def percentile(values: list[float], part: float) -> float | None:
    """Return the value below which `part` (0 to 1) of the values lie; None without values."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else None


def _median(measured: list[Measurement]) -> float:
    return statistics.median(one.seconds for one in measured)


def _row(name: str, measured: list[Measurement], base: float) -> dict[str, Any]:
    seconds = _median(measured)
    all_transactions = [value for one in measured for value in one.transactions]
    notes: dict[str, list[Any]] = {}
    for one in measured:
        for key, value in one.notes.items():
            notes.setdefault(key, []).append(value)
    return {
        "way": name,
        "seconds": round(seconds, 4),
        "rows_per_second": round(measured[0].rows / seconds) if measured[0].rows else None,
        "speed": round(base / seconds, 3),
        "transactions": len(all_transactions) // len(measured) or None,
        "p95": percentile(all_transactions, 0.95),
        "longest": max(all_transactions, default=None),
        "notes": {key: _middle(values) for key, values in notes.items()},
        "all_seconds": [round(one.seconds, 4) for one in measured],
    }


def _middle(values: list[Any]) -> Any:
    return round(statistics.median(values), 4) if isinstance(values[0], int | float) else values[0]


def _texts(row: dict[str, Any]) -> tuple[str, ...]:
    notes = ", ".join(f"{key} {value}" for key, value in row["notes"].items())
    figures = (row["seconds"], row["rows_per_second"], row["speed"], row["transactions"])
    times = (row["p95"], row["longest"])
    return (
        row["way"],
        *("" if figure is None else f"{figure:,}" for figure in figures),
        *("" if time is None else f"{time:.3f}" for time in times),
        notes,
    )
