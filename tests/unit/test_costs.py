"""What rows will cost, from the job log: by table, by its shape, and with several jobs at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.core.estimate.costs import measured, work
from cleanupctl.core.job import LogEntry, LogState, Removed
from cleanupctl.core.run.cleaning import Expired
from cleanupctl.core.run.throughput import Throughput

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


def entry(*removed: Removed, seconds: float | None, end: float = 0.0) -> LogEntry:
    return LogEntry(
        job_id="x",
        state=LogState.SUCCESSFUL,
        time=NOW + timedelta(seconds=end),
        due_date=None,
        retries=3,
        priority=0,
        host="h",
        process_id=1,
        version="1",
        configuration="c",
        duration=None if seconds is None else timedelta(seconds=seconds),
        removed=removed,
    )


def rows(number: int, seconds: float | None = None, rate: float | None = None, table: str = "t") -> Removed:
    return Removed("engine", table, number, seconds, rate)


def expired(number: int, table: str = "t", typical: float = 1e-6, history: str = "engine") -> Expired:
    return Expired(history, table, number, None, typical)


def test_entries_of_older_versions_cost_their_rows_by_their_time() -> None:
    log = [
        entry(rows(10_000), seconds=2),
        entry(rows(5), seconds=1),
        entry(rows(20_000), seconds=4),
        entry(rows(9_999), seconds=None),
    ]
    assert measured(log).tables == {("engine", "t"): pytest.approx(1 / 5000)}
    assert measured(log).overhead == 0
    assert measured([entry(rows(5), seconds=1)]).tables == measured([]).tables == {}


def test_what_starting_takes_is_told_apart_from_what_rows_take() -> None:
    costs = measured([entry(rows(10_000, 1.0, 20_000.0), seconds=1.5)])
    assert costs.overhead == pytest.approx(0.5)
    assert work(costs, [expired(40_000)]).seconds == pytest.approx(2.0)


def test_a_table_that_was_not_measured_costs_in_proportion_to_its_shape() -> None:
    costs = measured([entry(rows(1_000_000, 100.0, 10_000.0), seconds=100.0)])
    found = work(costs, [expired(10_000, typical=2e-6), expired(1_000, "with_keys", typical=20e-6)])
    assert found.seconds == pytest.approx(1.0 + 1.0, rel=0.01)
    assert found.assumed == pytest.approx(0.5, rel=0.01)


def test_a_brief_measurement_says_little_about_other_tables() -> None:
    costs = measured([entry(rows(10_000, 0.1, 100_000.0), seconds=0.1)])
    found = work(costs, [expired(0, typical=1e-6 / 1.6), expired(1_000_000, "other", typical=1e-6)])
    # They seem to cost sixteen times as much as they usually do: the fourfold is believed.
    assert found.seconds == pytest.approx(4.0)


def test_another_history_lends_its_proportion_only_when_there_is_no_own() -> None:
    slow, fast = rows(10**6, 100.0, 10_000.0), Removed("fast", "u", 10**6, 1.0, 1e6)
    costs = measured([entry(slow, fast, seconds=101)])
    todo = [expired(0), expired(0, "u", history="fast"), expired(1_000, "v", history="fast")]
    assert work(costs, todo).seconds == pytest.approx(1e-3)


def test_without_any_execution_everything_is_assumed() -> None:
    found = work(measured([]), [expired(1_000_000, typical=2e-6)])
    assert (found.rows, found.assumed) == (1_000_000, 1.0)
    assert found.seconds == pytest.approx(2.0)


def test_jobs_that_ran_at_the_same_time_are_seen() -> None:
    two = [entry(rows(9_000, 2.0), seconds=2, end=0.1), entry(rows(9_000, 2.0), seconds=2)]
    assert measured(two).concurrency == pytest.approx(4 / 2.1)
    one_by_one = [entry(rows(9_000, 2.0), seconds=2, end=60), entry(rows(9_000, 2.0), seconds=2)]
    assert measured(one_by_one).concurrency == pytest.approx(1)


def test_a_short_run_of_small_batches_tells_the_rate_of_large_ones() -> None:
    time = Throughput()
    for size in (500, 1000, 2000, 4000):
        time.add(size, 0.02 + size * 10e-6)
    assert time.rate(batch_seconds=0.25, batch_rows=10_000) == pytest.approx(10_000 / 0.12)
    assert time.rows / time.seconds < 0.6 * 10_000 / 0.12


@given(st.lists(st.tuples(st.integers(0, 10_000), st.floats(1e-5, 2)), min_size=1, max_size=30))
def test_a_rate_is_never_below_what_was_seen_and_never_far_beyond(batches: list[tuple[int, float]]) -> None:
    time = Throughput()
    for size, seconds in batches:
        time.add(size, seconds)
    seen = time.rows / time.seconds
    rate = time.rate(batch_seconds=0.25, batch_rows=10_000)
    assert seen <= rate <= max(seen, 1.5 * max(size / seconds for size, seconds in batches)) * 1.0001
