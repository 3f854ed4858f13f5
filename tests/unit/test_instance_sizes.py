"""How many instances the transactions of the end-time strategy take: a pure rule."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from cleanupctl.history.cleaning.cascade_scans import CascadeScan
from cleanupctl.history.cleaning.sizing import BatchSizer, Pacing
from cleanupctl.history.databases.scan import Batch

if TYPE_CHECKING:
    from cleanupctl.history.databases.scan import BatchSource

LONGEST = 0.25


def transactions(count: int, slowdown: dict[int, float], *, every: int = 10**9) -> list[tuple[int, float]]:
    """Sizes and seconds of transactions of 1 ms an instance, some of them slower."""
    source = cast("BatchSource", CascadeScan)
    sizer = BatchSizer(source, Pacing(timedelta(seconds=LONGEST), 10_000), cautious=True)
    found = []
    for number in range(count):
        units = sizer.units
        seconds = units * 0.001 * slowdown.get(number % every, 1.0)
        found.append((units, seconds))
        sizer.batch(Batch(units, taken=units), seconds, 10_000)
    return found


def test_sizes_double_up_to_the_time_of_a_batch() -> None:
    assert [units for units, _ in transactions(7, {})] == [10, 20, 40, 80, 150, 150, 150]


def test_after_a_slow_transaction_the_size_falls_at_once_and_comes_back_slowly() -> None:
    sizes = [units for units, _ in transactions(120, {8: 4.0})]
    assert sizes[8:10] == [150, 37]
    assert all(later <= 1.02 * size + 1 for size, later in pairwise(sizes[9:]))
    assert sizes[-1] >= 149


def test_where_every_tenth_transaction_is_slow_nineteen_of_twenty_are_in_time() -> None:
    seconds = sorted(seconds for _, seconds in transactions(1000, {9: 3.0}, every=10))
    assert seconds[949] <= LONGEST
