"""How the next batch is sized: a pure function of what the last ones took."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.history.cleaning.sizing import GROWTH, BatchSize, after_conflict, after_overflow, next_size

TARGET = 0.25
SIZE = 10_000
MOST = 100_000


def run(pace: BatchSize, *seconds_per_unit: float, density: float = 0.5) -> list[BatchSize]:
    """Sizes of consecutive batches when a unit costs so much, and `density` of its rows go."""
    paces = [pace]
    for cost in seconds_per_unit:
        units = paces[-1].units
        paces.append(
            next_size(
                paces[-1],
                rows=int(units * density),
                seconds=units * cost,
                target=TARGET,
                batch_size=SIZE,
            )
        )
    return paces


def test_a_steady_table_comes_to_the_target_and_stays_there() -> None:
    cost = TARGET / 4_000
    sizes = [pace.units for pace in run(BatchSize(1_000, MOST), *[cost] * 12)]
    assert sizes[:3] == [1_000, 2_000, 4_000]
    assert all(abs(size * cost - TARGET) < 0.01 for size in sizes[3:])


def test_a_slow_batch_is_answered_at_once_and_in_full() -> None:
    before, after = run(BatchSize(8_000, MOST), 10 * TARGET / 8_000)
    assert after.units == pytest.approx(before.units / 10, abs=1)


def test_recovery_after_a_stall_is_a_doubling_at_a_time_and_slower_near_the_end() -> None:
    cost = TARGET / 4_000
    sizes = [pace.units for pace in run(BatchSize(4_000, MOST), 100 * cost, *[cost] * 18)]
    assert sizes[1:7] == [40, 80, 160, 320, 640, 1280]
    assert all(after <= 1.2 * before for before, after in pairwise(sizes[7:]))
    assert sizes[-1] == pytest.approx(4_000, abs=2)


def test_where_every_fourth_batch_waits_for_the_disk_it_hardly_passes_the_target() -> None:
    usual = TARGET / 8_000
    costs = [3 * usual if number % 4 == 0 else usual for number in range(40)]
    sizes = [pace.units for pace in run(BatchSize(1_000, MOST), *costs)]
    seconds = [size * cost for size, cost in zip(sizes, costs, strict=False)][8:]
    assert max(seconds) < 1.5 * TARGET
    # The fast ones are held back for it, but never to less than what a slow one may take.
    assert min(sizes[8:]) >= 8_000 // 3 - 1


def test_noise_keeps_batches_near_the_target() -> None:
    cost = TARGET / 4_000
    noise = [0.8, 1.3, 1.0, 0.7, 1.2, 0.9, 1.4, 1.1] * 3
    sizes = [pace.units for pace in run(BatchSize(4_000, MOST), *[cost * factor for factor in noise])]
    assert all(4_000 / 1.5 <= size <= 4_000 / 0.65 for size in sizes[1:])


def test_fast_rows_stop_below_the_row_limit() -> None:
    paces = run(BatchSize(1_000, MOST), *[1e-9] * 10, density=1.0)
    assert 0.8 * SIZE <= paces[-1].units <= SIZE


def test_a_dense_stretch_is_remembered_for_a_while() -> None:
    dense = run(BatchSize(1_000, MOST), *[1e-9] * 6, density=1.0)[-1]
    (_, after_a_gap) = run(dense, 1e-9, density=0.0)
    assert after_a_gap.units <= 1.3 * dense.units


def test_an_overflow_and_a_conflict_halve_and_only_the_conflict_for_good() -> None:
    pace = BatchSize(1_000, MOST, 0.5)
    assert after_overflow(pace) == BatchSize(500, MOST, 0.5)
    assert after_conflict(pace) == BatchSize(500, 500, 0.5)
    assert after_overflow(BatchSize(1, MOST)).units == after_conflict(BatchSize(1, MOST)).units == 1


paces = st.builds(
    BatchSize,
    units=st.integers(1, MOST),
    most=st.just(MOST),
    density=st.floats(0, 50, allow_nan=False),
)


@given(
    pace=paces,
    density=st.floats(0, 50),
    seconds=st.floats(0, 1_000),
    size=st.integers(1, SIZE),
)
def test_a_batch_is_never_more_than_twice_the_last_nor_more_than_its_limits_allow(
    pace: BatchSize, density: float, seconds: float, size: int
) -> None:
    rows = int(pace.units * density)
    after = next_size(pace, rows=rows, seconds=seconds, target=TARGET, batch_size=size)
    assert 1 <= after.units <= min(MOST, GROWTH * pace.units)
    # By the density just seen, the next batch stays within the rows of one transaction.
    assert after.units == 1 or after.units * rows / pace.units <= size


@given(pace=paces, factor=st.floats(1.01, 10_000))
def test_a_batch_over_the_target_always_makes_the_next_one_smaller(pace: BatchSize, factor: float) -> None:
    after = next_size(pace, rows=0, seconds=TARGET * factor, target=TARGET, batch_size=SIZE)
    assert after.units < pace.units or pace.units == 1


@given(pace=paces, first=st.floats(0.001, 100), second=st.floats(0.001, 100))
def test_the_slower_batch_never_leads_to_the_larger_one(pace: BatchSize, first: float, second: float) -> None:
    sizes = [
        next_size(pace, rows=0, seconds=seconds, target=TARGET, batch_size=SIZE).units
        for seconds in sorted((first, second))
    ]
    assert sizes[0] >= sizes[1]
