"""Pictures of measurements as SVG files, by pygal: the dependency group `benchmarks` of pyproject.toml."""

from __future__ import annotations

import statistics
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.measuring import Measurement, Results

STEPS = 20
"""Points of a curve; a way with fewer transactions has none."""


def plot(path: Path, title: str, results: Results, *, baseline: str) -> list[Path]:
    """Draw the speed of each way against the baseline, and the rows a second over the run beside it.

    Returns the files: `path` and, when a way noted its pace, `NAME-pace.svg` in the same folder.
    """
    import pygal

    base = statistics.median(one.seconds for one in results[baseline])
    speeds = {name: base / statistics.median(one.seconds for one in found) for name, found in results.items()}
    bars = pygal.HorizontalBar(
        title=f"{title}\nspeed against {baseline}", show_legend=False, print_values=True,
        value_formatter="{:.2f}".format, x_labels=list(reversed(speeds)), **_LOOK,
    )  # fmt: skip
    bars.add("speed", list(reversed(speeds.values())))
    bars.render_to_file(str(path))
    curves = {name: _pace(found) for name, found in results.items()}
    if not any(curves.values()):
        return [path]
    lines = pygal.XY(
        title=f"{title}\nrows a second over the run", x_title="share of the rows removed, percent",
        value_formatter="{:,.0f}".format, range=(0, max(y for curve in curves.values() for _, y in curve)),
        legend_at_bottom=True, dots_size=2, **_LOOK,
    )  # fmt: skip
    for name, curve in curves.items():
        if curve:
            lines.add(name, curve)
    second = path.with_name(f"{path.stem}-pace.svg")
    lines.render_to_file(str(second))
    return [path, second]


# pygal would load a script from the network into each picture.
_LOOK: dict[str, Any] = {"js": (), "width": 900, "height": 450, "margin": 20, "truncate_legend": -1}


def _pace(found: list[Measurement]) -> list[tuple[float, float]]:
    """Median over the rounds of the rate in each step of the way from no row to all."""
    curves = [_rates(one) for one in found if len(one.pace) >= STEPS]
    return [
        (100 * (step + 0.5) / STEPS, statistics.median(rates))
        for step, rates in enumerate(zip(*curves, strict=True))
    ]


def _rates(one: Measurement) -> list[float]:
    """Rows a second of each step; within a transaction rows are taken to go evenly."""
    step = sum(rows for _, rows in one.pace) / STEPS
    moments = [0.0]
    removed, at = 0, 0.0
    for seconds, rows in one.pace:
        while len(moments) < STEPS and removed + rows > step * len(moments):
            moments.append(at + (seconds - at) * (step * len(moments) - removed) / rows)
        removed, at = removed + rows, seconds
    return [step / max(end - start, 1e-9) for start, end in pairwise([*moments, at])]
