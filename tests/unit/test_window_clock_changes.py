"""Both nights of the change in several zones; where the engines drift, resolve wrongly or overlap."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.windows import at, shown, windows

NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # the engines answer 21:00 in spring and 19:00 in autumn when asked the evening before
        ("2024-03-30T22:30", ("2024-03-31T20:00+02:00", "2024-03-31T22:00+02:00")),
        ("2024-03-31T12:00", ("2024-03-31T20:00+02:00", "2024-03-31T22:00+02:00")),
        ("2024-10-26T22:30", ("2024-10-27T20:00+01:00", "2024-10-27T22:00+01:00")),
        ("2024-10-27T12:00", ("2024-10-27T20:00+01:00", "2024-10-27T22:00+01:00")),
    ],
)
def test_better_than_the_engine_the_start_does_not_depend_on_when_it_is_asked_for(
    now: str, expected: tuple[str, str]
) -> None:
    assert shown(windows(("20:00", "22:00")).current_or_next(at(now))) == expected


def test_better_than_the_engine_a_weekday_entry_does_not_drift_over_the_year() -> None:
    configured = windows(wednesday=("20:00", "22:00"))
    assert shown(configured.next(at("2024-03-28T12:00"))) == (
        "2024-04-03T20:00+02:00",
        "2024-04-03T22:00+02:00",
    )
    assert shown(configured.next(at("2024-10-25T12:00"))) == (
        "2024-10-30T20:00+01:00",
        "2024-10-30T22:00+01:00",
    )


def test_better_than_the_engine_whole_days_touch_and_neither_overlap_nor_leave_a_gap() -> None:
    configured = windows(("00:00", "00:00"))
    for night in ("2024-03-29T00:00", "2024-10-25T00:00"):
        occurrences = list(configured.occurrences(at(night), count=5))
        assert [each.end for each in occurrences[:-1]] == [each.start for each in occurrences[1:]]
        assert sorted({each.length for each in occurrences}) in (
            [timedelta(hours=23), timedelta(hours=24)],
            [timedelta(hours=24), timedelta(hours=25)],
        )


def test_better_than_the_engine_an_end_at_the_change_is_over_when_the_clock_shows_it() -> None:
    # 03:30 is past the end; the engines still see 23:00-03:00 open
    assert windows(("23:00", "03:00")).current(at("2024-10-27T03:30")) is None
    # and 03:30 in spring is still before it; the engines see 23:00-04:00 closed
    assert windows(("23:00", "04:00")).current(at("2024-03-31T03:30")) is not None


NIGHTS = [
    # Berlin, spring: 02:00 to 03:00 is skipped
    (
        "Europe/Berlin",
        ("22:00", "06:00"),
        "2024-03-30T12:00",
        "2024-03-30T22:00+01:00",
        "2024-03-31T06:00+02:00",
    ),
    (
        "Europe/Berlin",
        ("02:30", "05:00"),
        "2024-03-30T12:00",
        "2024-03-31T03:00+02:00",
        "2024-03-31T05:00+02:00",
    ),
    (
        "Europe/Berlin",
        ("22:00", "02:30"),
        "2024-03-30T12:00",
        "2024-03-30T22:00+01:00",
        "2024-03-31T03:00+02:00",
    ),
    (
        "Europe/Berlin",
        ("02:00", "03:01"),
        "2024-03-30T12:00",
        "2024-03-31T03:00+02:00",
        "2024-03-31T03:01+02:00",
    ),
    (
        "Europe/Berlin",
        ("02:30", "02:30"),
        "2024-03-31T01:00",
        "2024-03-30T02:30+01:00",
        "2024-03-31T03:00+02:00",
    ),
    (
        "Europe/Berlin",
        ("02:30", "02:30"),
        "2024-03-31T03:00",
        "2024-03-31T03:00+02:00",
        "2024-04-01T02:30+02:00",
    ),
    # all of it is skipped: never empty, so there is none that night
    (
        "Europe/Berlin",
        ("02:15", "02:45"),
        "2024-03-30T12:00",
        "2024-04-01T02:15+02:00",
        "2024-04-01T02:45+02:00",
    ),
    (
        "Europe/Berlin",
        ("02:15", "03:00"),
        "2024-03-30T12:00",
        "2024-04-01T02:15+02:00",
        "2024-04-01T03:00+02:00",
    ),
    # Berlin, autumn: 02:00 to 03:00 comes twice
    (
        "Europe/Berlin",
        ("22:00", "06:00"),
        "2024-10-26T12:00",
        "2024-10-26T22:00+02:00",
        "2024-10-27T06:00+01:00",
    ),
    (
        "Europe/Berlin",
        ("02:30", "05:00"),
        "2024-10-26T12:00",
        "2024-10-27T02:30+02:00",
        "2024-10-27T05:00+01:00",
    ),
    (
        "Europe/Berlin",
        ("22:00", "02:30"),
        "2024-10-26T12:00",
        "2024-10-26T22:00+02:00",
        "2024-10-27T02:30+01:00",
    ),
    (
        "Europe/Berlin",
        ("02:15", "02:45"),
        "2024-10-26T12:00",
        "2024-10-27T02:15+02:00",
        "2024-10-27T02:45+01:00",
    ),
    (
        "Europe/Berlin",
        ("02:45", "02:15"),
        "2024-10-26T12:00",
        "2024-10-26T02:45+02:00",
        "2024-10-27T02:15+01:00",
    ),
    (
        "Europe/Berlin",
        ("02:45", "02:15"),
        "2024-10-27T12:00",
        "2024-10-27T02:45+02:00",
        "2024-10-28T02:15+01:00",
    ),
    # New York, the same on other dates
    (
        "America/New_York",
        ("01:00", "02:30"),
        "2024-03-09T12:00",
        "2024-03-10T01:00-05:00",
        "2024-03-10T03:00-04:00",
    ),
    (
        "America/New_York",
        ("02:30", "04:00"),
        "2024-03-09T12:00",
        "2024-03-10T03:00-04:00",
        "2024-03-10T04:00-04:00",
    ),
    (
        "America/New_York",
        ("01:30", "04:00"),
        "2024-11-02T12:00",
        "2024-11-03T01:30-04:00",
        "2024-11-03T04:00-05:00",
    ),
    (
        "America/New_York",
        ("22:00", "01:30"),
        "2024-11-02T12:00",
        "2024-11-02T22:00-04:00",
        "2024-11-03T01:30-05:00",
    ),
    # Lord Howe, half an hour
    (
        "Australia/Lord_Howe",
        ("22:00", "03:00"),
        "2024-04-07T12:00",
        "2024-04-07T22:00+10:30",
        "2024-04-08T03:00+10:30",
    ),
    (
        "Australia/Lord_Howe",
        ("01:45", "03:00"),
        "2024-04-06T12:00",
        "2024-04-07T01:45+11:00",
        "2024-04-07T03:00+10:30",
    ),
    (
        "Australia/Lord_Howe",
        ("22:00", "01:45"),
        "2024-04-06T12:00",
        "2024-04-06T22:00+11:00",
        "2024-04-07T01:45+10:30",
    ),
    (
        "Australia/Lord_Howe",
        ("02:15", "03:00"),
        "2024-10-05T12:00",
        "2024-10-06T02:30+11:00",
        "2024-10-06T03:00+11:00",
    ),
    (
        "Australia/Lord_Howe",
        ("02:00", "02:30"),
        "2024-10-05T12:00",
        "2024-10-07T02:00+11:00",
        "2024-10-07T02:30+11:00",
    ),
    # Sao Paulo, midnight itself is skipped; the engines answer 01:00 to 05:00 the day before
    (
        "America/Sao_Paulo",
        ("00:00", "04:00"),
        "2018-11-03T12:00",
        "2018-11-04T01:00-02:00",
        "2018-11-04T04:00-02:00",
    ),
    (
        "America/Sao_Paulo",
        ("20:00", "00:00"),
        "2018-11-03T12:00",
        "2018-11-03T20:00-03:00",
        "2018-11-04T01:00-02:00",
    ),
    # Apia had no 30 December 2011
    (
        "Pacific/Apia",
        ("10:00", "12:00"),
        "2011-12-29T13:00",
        "2011-12-31T10:00+14:00",
        "2011-12-31T12:00+14:00",
    ),
    (
        "Pacific/Apia",
        ("20:00", "06:00"),
        "2011-12-29T13:00",
        "2011-12-29T20:00-10:00",
        "2011-12-31T00:00+14:00",
    ),
    (
        "Pacific/Apia",
        ("20:00", "06:00"),
        "2011-12-31T00:00",
        "2011-12-31T00:00+14:00",
        "2011-12-31T06:00+14:00",
    ),
    (
        "Pacific/Apia",
        ("00:00", "00:00"),
        "2011-12-29T13:00",
        "2011-12-29T00:00-10:00",
        "2011-12-31T00:00+14:00",
    ),
    (
        "Pacific/Apia",
        ("00:00", "00:00"),
        "2011-12-31T00:00",
        "2011-12-31T00:00+14:00",
        "2012-01-01T00:00+14:00",
    ),
]


@pytest.mark.parametrize(("zone", "general", "now", "start", "end"), NIGHTS)
def test_a_start_moves_out_of_a_gap_and_of_two_the_first_starts_and_the_second_ends(
    zone: str, general: tuple[str, str], now: str, start: str, end: str
) -> None:
    place = ZoneInfo(zone)
    assert shown(windows(general, zone=place).current_or_next(at(now, place)), place) == (start, end)


def test_a_weekday_whose_only_window_is_skipped_waits_for_the_week_after() -> None:
    configured = windows(sunday=("02:15", "02:45"))
    assert shown(configured.next(at("2024-03-30T12:00"))) == (
        "2024-04-07T02:15+02:00",
        "2024-04-07T02:45+02:00",
    )


def test_a_weekday_that_does_not_take_place_has_no_window_in_the_day() -> None:
    fridays = windows(zone=APIA, friday=("10:00", "12:00"))
    assert shown(fridays.next(at("2011-12-28T12:00", APIA)), APIA) == (
        "2012-01-06T10:00+14:00",
        "2012-01-06T12:00+14:00",
    )


@pytest.mark.parametrize(
    ("zone", "night", "change", "length"),
    [
        ("Europe/Berlin", "2024-03-30T12:00", 60, 7),
        ("Europe/Berlin", "2024-10-26T12:00", -60, 9),
        ("America/New_York", "2024-03-09T12:00", 60, 7),
        ("America/New_York", "2024-11-02T12:00", -60, 9),
        ("Australia/Lord_Howe", "2024-10-05T12:00", 30, 7.5),
        ("Australia/Lord_Howe", "2024-04-06T12:00", -30, 8.5),
        ("Europe/Berlin", "2024-06-05T12:00", 0, 8),
    ],
)
def test_an_opening_tells_the_change_inside_it_and_the_time_that_really_passes(
    zone: str, night: str, change: int, length: float
) -> None:
    place = ZoneInfo(zone)
    opening = next(windows(("22:00", "06:00"), zone=place).occurrences(at(night, place)))
    assert opening.clock_change == timedelta(minutes=change)
    assert opening.length == timedelta(hours=length)
    assert not opening.start_moved


def test_an_opening_tells_that_its_start_was_moved_out_of_a_gap() -> None:
    moved, usual = windows(("02:30", "05:00")).occurrences(at("2024-03-30T12:00"), count=2)
    assert moved.start_moved
    assert not usual.start_moved
    # the change is before its start, not inside
    assert not moved.clock_change


def test_a_change_at_the_very_end_is_not_inside() -> None:
    spring = next(windows(("22:00", "02:00")).occurrences(at("2024-03-30T12:00")))
    assert spring.end == at("2024-03-31T03:00")
    assert not spring.clock_change
