"""No row expires before its time plus its time to live, by any reading of its wall clock, in any zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleanupctl.core import times
from cleanupctl.history.databases.cutoff import SET_FROM, cutoff, expiry, latest_number
from cleanupctl.history.databases.units import UNITS

wall = datetime.fromisoformat
BERLIN = ZoneInfo("Europe/Berlin")
CHANGES = {
    "Europe/Berlin": (wall("2024-03-31 01:00"), wall("2024-10-27 01:00")),
    "America/New_York": (wall("2024-03-10 07:00"), wall("2024-11-03 06:00")),
    "America/St_Johns": (wall("2024-03-10 05:30"), wall("2024-11-03 04:30")),
    "Australia/Lord_Howe": (wall("2024-10-05 15:30"), wall("2024-04-06 15:00")),
    "America/Santiago": (wall("2024-09-08 04:00"), wall("2024-04-07 03:00")),
    "Africa/Cairo": (wall("2024-04-25 22:00"), wall("2024-10-31 21:00")),
}
"""The two nights of a year in which the clocks are moved, in UTC."""

AFTER_THE_GAP = (BERLIN, datetime(2024, 4, 10, 0, 0, tzinfo=UTC), 10, wall("2024-03-31 03:00"))
TWICE = (BERLIN, datetime(2024, 10, 27, 0, 30, tzinfo=UTC), 240, wall("2024-03-01 02:30"))


Night = tuple[ZoneInfo, datetime, int, datetime]


@st.composite
def nights(draw: st.DrawFn) -> Night:
    """A zone, a moment now, a time to live, and a wall clock about that long ago; one is in such a night."""
    name = draw(st.sampled_from(sorted(CHANGES)))
    zone = ZoneInfo(name)
    change = draw(st.sampled_from(CHANGES[name])).replace(tzinfo=UTC)
    days = draw(st.integers(0, 400))
    near = change + timedelta(minutes=draw(st.integers(-90, 90)))
    at_the_end = draw(st.booleans())
    now = near if at_the_end else times.removal_time(near, days, zone)
    if not at_the_end:
        now += timedelta(minutes=draw(st.integers(-70, 70)))
    asked = now.astimezone(zone).replace(tzinfo=None, fold=0) - timedelta(days=days)
    return zone, now, days, asked + timedelta(minutes=draw(st.integers(-70, 70)))


def _readings(written: datetime, zone: ZoneInfo) -> set[datetime]:
    return {times.resolve(written, zone), times.resolve(written, zone, latest=True)}


@settings(max_examples=500)
@given(nights())
@example(AFTER_THE_GAP)
@example(TWICE)
def test_no_wall_clock_expires_early_by_any_reading(night: Night) -> None:
    zone, now, days, written = night
    if written <= expiry(now, days, zone).wall:
        assert max(times.removal_time(base, days, zone) for base in _readings(written, zone)) <= now


@settings(max_examples=500)
@given(nights())
@example(AFTER_THE_GAP)
@example(TWICE)
def test_no_instant_expires_early(night: Night) -> None:
    zone, now, days, written = night
    for base in _readings(written, zone):
        if base <= expiry(now, days, zone).instant:
            assert times.removal_time(base, days, zone) <= now


@settings(max_examples=500)
@given(nights())
@example(AFTER_THE_GAP)
@example(TWICE)
def test_no_day_expires_before_its_last_moment(night: Night) -> None:
    zone, now, days, written = night
    last = datetime.combine(written.date(), datetime.max.time())
    if written.date() < expiry(now, days, zone).day:
        assert max(times.removal_time(base, days, zone) for base in _readings(last, zone)) <= now


@settings(max_examples=500)
@given(nights())
@example(AFTER_THE_GAP)
@example(TWICE)
def test_every_wall_clock_expires_two_hours_late_at_most(
    night: Night,
) -> None:
    zone, now, days, written = night
    latest = max(times.removal_time(base, days, zone) for base in _readings(written, zone))
    if latest <= now - timedelta(hours=2):
        assert written <= expiry(now, days, zone).wall


def test_of_a_wall_clock_that_was_skipped_nothing_from_it_on_has_expired() -> None:
    until = expiry(datetime(2024, 4, 30, 0, 30, tzinfo=UTC), 30, BERLIN)
    assert until.wall < wall("2024-03-31 02:00")
    assert until.instant < datetime(2024, 3, 31, 1, 0, tzinfo=UTC)


def test_any_other_day_it_is_the_same_wall_clock_days_earlier() -> None:
    until = expiry(datetime(2024, 6, 15, 10, 0, tzinfo=UTC), 1, BERLIN)
    assert until.wall == wall("2024-06-14 12:00")
    assert until.instant == datetime(2024, 6, 14, 10, 0, tzinfo=UTC)


def test_what_was_written_at_the_end_of_the_gap_waits_for_its_own_hour() -> None:
    written = wall("2024-03-31 03:00")
    early, due = (datetime(2024, 4, 10, hour, tzinfo=BERLIN) for hour in (2, 3))
    assert expiry(early, 10, BERLIN).wall < written <= expiry(due, 10, BERLIN).wall


@pytest.mark.parametrize(("minutes", "expired"), [(-61, False), (-1, False), (0, True), (30, True)])
def test_a_row_of_the_hour_that_comes_twice_waits_for_its_second_pass(minutes: int, expired: bool) -> None:
    """A wall clock of 02:00 may mean 00:00 or 01:00 UTC: it has passed once both have."""
    second_pass = datetime(2024, 10, 27, 1, 0, tzinfo=UTC)
    until = cutoff(second_pass + timedelta(minutes=minutes), BERLIN)
    assert (wall("2024-10-27 02:00") <= until.wall) is expired


@pytest.mark.parametrize("days", [800_000, 2**31 - 1])
def test_nothing_expires_after_a_time_to_live_longer_than_all_calendars(days: int) -> None:
    assert expiry(datetime(2024, 6, 15, tzinfo=UTC), days, BERLIN).instant == times.EARLIEST


@pytest.mark.parametrize("days", [3_000_000, 2**31 - 1])
def test_what_expires_after_all_calendars_expires_at_the_end_of_them(days: int) -> None:
    now = datetime(2024, 6, 15, tzinfo=UTC)
    assert times.removal_time(now, days, BERLIN) == times.LATEST
    assert times.removal_time(times.LATEST, 0, BERLIN) == times.LATEST


def test_days_are_counted_from_the_first_of_1970() -> None:
    until = cutoff(datetime(2024, 6, 15, 10, 0, tzinfo=UTC), BERLIN)
    assert latest_number(until, UNITS["days"]) == ("<", 19_889)


def test_the_first_day_that_stands_for_no_time_at_all_is_that_of_1980_and_no_later_one_does() -> None:
    """Files of old systems begin with 1980, in whatever zone."""
    assert datetime(1980, 1, 1, 23, 59, tzinfo=UTC) < SET_FROM <= datetime(1980, 1, 2, tzinfo=UTC)
