"""The executor and clocks: those that jump, those of others, and what was decided by one that was wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.job import LogState
from cleanupctl.core.jobs.due_dates import correct
from cleanupctl.core.run.cleaning import Noticed
from cleanupctl.core.run.events import JobProgress
from tests.support.house import ALL_DAY, NIGHT, NOON, ORIGIN, House, PretendHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Event, Limits

HOURS = [timedelta(hours=3), timedelta(hours=-3), timedelta(days=2), timedelta(days=-2)]


class Recorded(PretendHistory):
    """Remembers the moments that counted."""

    moments: list[datetime]

    def clean(self, now: datetime, limits: Limits) -> Iterator[Event]:
        self.moments = [*getattr(self, "moments", ()), now]
        return super().clean(now, limits)


@pytest.mark.parametrize("jump", HOURS, ids=str)
def test_a_clock_that_jumps_during_a_run_changes_neither_its_end_nor_the_next_one(
    house: Callable[..., House], jump: timedelta
) -> None:
    one = house(NIGHT)
    one.clock.now = NOON.replace(hour=23)
    one.schedule(immediately_due=False)

    def jump_once() -> None:
        one.clock.seconds += 1
        if history.rows == 20:
            one.clock.now += jump

    history, later = Recorded(rows=30, before_batch=jump_once), Recorded(name="later", rows=10)
    one.run(history, later)
    assert one.log() == [(LogState.SUCCESSFUL, "finished", 40)]
    assert later.moments[0] - history.moments[0] < timedelta(minutes=1)
    (job,) = one.store.jobs()
    assert job.due_date is not None
    assert job.due_date - NOON.replace(hour=23) < timedelta(minutes=1)


@pytest.mark.parametrize("apart", [timedelta(minutes=11), timedelta(minutes=-11)], ids=str)
def test_a_history_with_another_time_is_refused_and_others_are_not(
    house: Callable[..., House], apart: timedelta
) -> None:
    one = house(NIGHT)
    one.schedule()
    wrong, right = PretendHistory(rows=10, their_clock=lambda: NOON - apart), PretendHistory("right", rows=10)
    one.run(wrong, right)
    assert (wrong.rows, right.rows) == (10, 0)
    assert one.log() == [(LogState.FAILED, "finished", 10)]


@pytest.mark.parametrize("minutes", [5, -5])
def test_the_earlier_of_two_clocks_counts_and_is_told_of(house: Callable[..., House], minutes: int) -> None:
    one = house(NIGHT)
    one.schedule()
    history = Recorded(rows=10, their_clock=lambda: NOON - timedelta(minutes=minutes))
    events = one.run(history)
    assert history.moments == [min(NOON, NOON - timedelta(minutes=minutes))]
    told = [e.event for e in events if isinstance(e, JobProgress) and isinstance(e.event, Noticed)]
    assert ["the earlier of the two counts" in notice.message for notice in told] == [True]


def test_clocks_that_are_as_good_as_equal_are_not_told_of(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()
    events = one.run(PretendHistory(rows=10, their_clock=lambda: NOON + timedelta(seconds=50)))
    assert not [e for e in events if isinstance(e, JobProgress) and isinstance(e.event, Noticed)]


@pytest.mark.parametrize("ahead", [timedelta(days=2), timedelta(days=800)], ids=str)
def test_a_job_that_a_wrong_clock_put_off_is_due_in_the_current_window(
    house: Callable[..., House], ahead: timedelta
) -> None:
    one = house(ALL_DAY)
    one.schedule()
    one.clock.now += ahead
    one.run(PretendHistory())
    one.clock.now -= ahead
    told = list(correct(one.store, one.settings, NOON, ORIGIN))
    assert len(told) == 1
    assert "a clock was ahead" in told[0]
    (job,) = one.store.jobs()
    assert job.due_date is not None
    assert job.due_date <= NOON
    assert list(correct(one.store, one.settings, NOON, ORIGIN)) == []


def test_a_job_that_is_due_when_it_should_be_is_left(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule(immediately_due=False)
    before = one.store.jobs()
    assert list(correct(one.store, one.settings, NOON, ORIGIN)) == []
    assert one.store.jobs() == before


def test_without_a_window_a_due_date_far_ahead_is_only_told_of(house: Callable[..., House]) -> None:
    one = house()
    one.schedule()
    one.clock.now += timedelta(days=800)
    one.schedule()
    before = one.store.jobs()
    (told,) = correct(one.store, one.settings, NOON, ORIGIN)
    assert "`cleanupctl schedule` sets it right" in told
    assert one.store.jobs() == before
    assert [replace(job, suspended=False) for job in before] == before
