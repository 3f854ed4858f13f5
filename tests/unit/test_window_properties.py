"""What holds for all batch windows, at all times."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cleanupctl.core.times import TimeOfDay, resolve
from cleanupctl.core.windows.explanation import explain
from cleanupctl.core.windows.windows import BatchWindows, CronWindow, DailyWindow
from tests.support.windows import BERLIN, at, windows

# the machine may be busy; how long an answer takes is not asked here
UNHURRIED = settings(deadline=None)

ZONE_NAMES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
)
ZONES = st.sampled_from([ZoneInfo(name) for name in ZONE_NAMES])
STEADY = st.sampled_from([ZoneInfo(name) for name in ("UTC", "Asia/Tokyo", "Asia/Kathmandu")])
INSTANTS = st.datetimes(
    datetime.fromisoformat("2010-01-01"),
    datetime.fromisoformat("2036-01-01"),
    timezones=st.just(ZoneInfo("UTC")),
)
# half of the instants are around a change of the clocks somewhere
CHANGES = [
    "2024-03-31T01:00Z",
    "2024-10-27T01:00Z",
    "2024-03-10T07:00Z",
    "2024-11-03T06:00Z",
    "2024-04-06T15:00Z",
    "2024-10-05T15:30Z",
    "2011-12-30T10:00Z",
    "2018-11-04T03:00Z",
]
NOWS = INSTANTS | st.builds(
    lambda change, minutes: at(change) + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-3000, 3000),
)
TIMES = st.builds(TimeOfDay, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))
OFFSETS = st.sampled_from([-18, -12, -8, 0, 1, 5.5, 12.75, 14, 18]).map(
    lambda number: timedelta(hours=number)
)
TIMES_WITH_OFFSETS = TIMES | st.builds(TimeOfDay, st.integers(0, 23), st.sampled_from([0, 30]), OFFSETS)
CRONS = st.builds(
    CronWindow,
    st.sampled_from(
        [
            "30 2 * * *",
            "*/20 1-3 * * *",
            "0 22-23,0-5 * * *",
            "0 0 * * 6",
            "0 3 1,15 * *",
            "* * * * *",
            "0 0 13 * 5",
        ]
    ),
    st.sampled_from([1, 10, 60, 90, 600, 1440, 3000]).map(lambda number: timedelta(minutes=number)),
)


def daily_windows(times: st.SearchStrategy[TimeOfDay]) -> st.SearchStrategy[DailyWindow]:
    """Windows of a day from such times."""
    return st.builds(DailyWindow, times, times)


def weekdays(times: st.SearchStrategy[TimeOfDay]) -> st.SearchStrategy[dict[int, DailyWindow | None]]:
    """Entries for some of the weekdays, closed ones among them."""
    return st.dictionaries(st.integers(0, 6), daily_windows(times) | st.none(), max_size=7)


DAILY = st.builds(BatchWindows, ZONES, general=daily_windows(TIMES) | st.none(), weekdays=weekdays(TIMES))
ALL = (
    DAILY
    | st.builds(BatchWindows, ZONES, crons=st.tuples(CRONS), weekdays=weekdays(TIMES))
    | st.builds(BatchWindows, ZONES, crons=st.tuples(CRONS, CRONS))
    | st.builds(
        BatchWindows,
        ZONES,
        general=daily_windows(TIMES_WITH_OFFSETS) | st.none(),
        weekdays=weekdays(TIMES_WITH_OFFSETS),
    )
)


@UNHURRIED
@given(ALL, NOWS)
def test_a_window_contains_its_start_never_its_end_and_is_never_empty(
    configured: BatchWindows, now: datetime
) -> None:
    for opening in configured.occurrences(now, count=5):
        assert opening.start < opening.end
        assert opening.window.contains(opening.start)
        assert not opening.window.contains(opening.end)
        assert opening.length > timedelta(0)


@UNHURRIED
@given(ALL, NOWS)
def test_the_current_or_next_window_contains_now_or_is_ahead(configured: BatchWindows, now: datetime) -> None:
    window = configured.current_or_next(now)
    assume(window is not None)
    assert window is not None
    assert window.contains(now) or window.start > now
    assert configured.current(now) == (window if window.contains(now) else None)


@UNHURRIED
@given(ALL, NOWS)
def test_the_next_window_is_strictly_ahead_and_nothing_starts_before_it(
    configured: BatchWindows, now: datetime
) -> None:
    window = configured.next(now)
    if window is None:
        assert all(opening.start <= now for opening in configured.occurrences(now, count=3))
        return
    assert window.start > now
    starts = [opening.start for opening in configured.occurrences(now, count=6)]
    assert min((start for start in starts if start > now), default=window.start) == window.start
    # asked just before it starts, it is still the next
    assert configured.next(window.start - timedelta.resolution) == window


@UNHURRIED
@given(ALL, NOWS)
def test_openings_are_what_one_finds_walking_forward(configured: BatchWindows, now: datetime) -> None:
    occurrences = list(configured.occurrences(now, count=6))
    assert [opening.start for opening in occurrences] == sorted(opening.start for opening in occurrences)
    for opening in occurrences:
        expected = max(opening.start, now)
        found = configured.current_or_next(expected)
        assert found is not None
        # another one may have started before it, and be open still
        assert found == opening.window or found.start <= opening.start < found.end
    starts = [opening.start for opening in occurrences if opening.start > now]
    before = now
    for start in sorted(set(starts)):
        walked = configured.next(before)
        assert walked is not None
        assert walked.start == start
        before = start


@UNHURRIED
@given(ALL, NOWS, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_an_answer_does_not_depend_on_when_it_is_asked_for(
    configured: BatchWindows, now: datetime, later: timedelta
) -> None:
    first = configured.next(now)
    if first is not None and now + later < first.start:
        assert configured.next(now + later) == first


@UNHURRIED
@given(ALL, NOWS)
def test_the_zone_of_now_does_not_matter(configured: BatchWindows, now: datetime) -> None:
    elsewhere = now.astimezone(ZoneInfo("Pacific/Kiritimati"))
    assert configured.current_or_next(elsewhere) == configured.current_or_next(now)
    assert configured.next(elsewhere) == configured.next(now)


@UNHURRIED
@given(st.builds(BatchWindows, ZONES, daily_windows(TIMES)), NOWS)
@example(windows(("02:30", "02:30")), at("2024-10-26T12:00"))
@example(windows(("00:00", "00:00")), at("2024-10-26T12:00"))
def test_windows_of_one_time_each_day_overlap_only_in_a_repeated_hour(
    configured: BatchWindows, now: datetime
) -> None:
    for one, other in pairwise(configured.occurrences(now, count=6)):
        # an end that is shown twice is the second, a start the first
        repeated = resolve(wall := one.end.astimezone(configured.zone).replace(tzinfo=None), configured.zone)
        assert other.start >= repeated
        assert other.start >= one.end or resolve(wall, configured.zone, latest=True) == one.end > repeated


@UNHURRIED
@given(st.builds(BatchWindows, ZONES, crons=st.tuples(CRONS, CRONS)), NOWS)
def test_cron_windows_never_overlap(configured: BatchWindows, now: datetime) -> None:
    for one, other in pairwise(configured.occurrences(now, count=8)):
        assert one.end <= other.start


@UNHURRIED
@given(STEADY, daily_windows(TIMES) | st.none(), weekdays(TIMES), INSTANTS, st.integers(1, 60))
def test_where_the_clocks_never_change_a_week_later_the_answer_is_a_week_later(
    zone: ZoneInfo,
    general: DailyWindow | None,
    days: dict[int, DailyWindow | None],
    now: datetime,
    weeks: int,
) -> None:
    configured, shift = BatchWindows(zone, general, weekdays=days), timedelta(weeks=weeks)
    for find in (configured.current_or_next, configured.next, configured.current):
        window, shifted = find(now), find(now + shift)
        assert (window is None) == (shifted is None)
        if window and shifted:
            assert (window.start + shift, window.end + shift) == (shifted.start, shifted.end)


@UNHURRIED
@given(TIMES, ZONES, NOWS)
def test_equal_start_and_end_are_24_hours_of_wall_clock(
    time: TimeOfDay, zone: ZoneInfo, now: datetime
) -> None:
    for opening in BatchWindows(zone, DailyWindow(time, time)).occurrences(now, count=4):
        start = datetime.fromisoformat(f"{opening.day}T{time}")
        assert opening.start == resolve(start, zone)
        assert opening.end == resolve(start + timedelta(days=1), zone, latest=True)
        assert opening.length <= timedelta(hours=25)


@UNHURRIED
@given(TIMES, ZONES, st.sampled_from(["2024-03-01T00:00Z", "2024-10-01T00:00Z", "2011-12-15T00:00Z"]))
def test_each_wall_clock_occurrence_opens_once(time: TimeOfDay, zone: ZoneInfo, month: str) -> None:
    cron = CronWindow(f"{time.minute} {time.hour} * * *", timedelta(minutes=1))
    start = at(month)
    occurrences = list(BatchWindows(zone, crons=(cron,)).occurrences(start, until=start + timedelta(days=45)))
    days = [opening.day for opening in occurrences]
    assert len(set(days)) == len(days)
    shown = {
        opening.start.astimezone(zone).strftime("%H:%M") for opening in occurrences if not opening.start_moved
    }
    assert shown == {str(time)}
    assert 43 <= len(occurrences) <= 46


@UNHURRIED
@given(ALL, NOWS)
def test_an_explanation_gives_the_same_answer_and_names_it_once(
    configured: BatchWindows, now: datetime
) -> None:
    explanation = explain(configured, now)
    answer = explanation.answer
    assert (answer.window if answer else None) == configured.current_or_next(now)
    assert explanation.is_open == (configured.current(now) is not None)
    named = [one for one in explanation.considered if one.opening == answer and answer is not None]
    assert len(named) == (answer is not None)
    assert len(explanation.others) == len(explanation.considered) - len(named)
    days = [one.day for one in explanation.considered]
    assert days == sorted(days)


@pytest.mark.parametrize("night", ["2024-03-30", "2024-10-26"])
def test_every_minute_of_the_night_of_a_change_is_inside_exactly_when_its_wall_clock_is(night: str) -> None:
    configured = windows(("23:15", "03:45"))
    start = at(f"{night}T12:00")
    for minute in range(24 * 60):
        instant = start + timedelta(minutes=minute)
        clock = instant.astimezone(BERLIN).strftime("%H:%M")
        assert (configured.current(instant) is not None) == (clock >= "23:15" or clock < "03:45"), clock
