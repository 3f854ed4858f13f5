from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.windows.rules import WEEKDAYS
from cleanupctl.core.windows.windows import BatchWindows, Window
from tests.support.windows import BERLIN, at, daily, shown, windows

WEEK = {
    "monday": ("22:00", "01:00"),
    "tuesday": ("22:00", "23:00"),
    "wednesday": ("15:00", "20:00"),
    "friday": ("22:00", "01:00"),
    "sunday": ("10:00", "20:00"),
}
NIGHTLY = windows(("20:00", "06:00"))


def starts(configured: BatchWindows, *times: str) -> list[str]:
    """Starts of the current or next windows, by the wall clock."""
    found = [configured.current_or_next(at(time)) for time in times]
    return [window.start.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M") for window in found if window]


@pytest.mark.parametrize(
    ("general", "now", "start"),
    [
        (("22:00", "23:00"), "2017-09-06T22:15", "2017-09-06T22:00"),
        (("22:00", "23:00"), "2017-09-06T21:15", "2017-09-06T22:00"),
        (("22:00", "23:00"), "2017-09-06T23:15", "2017-09-07T22:00"),
        (("22:00", "23:00"), "2017-09-07T00:15", "2017-09-07T22:00"),
        (("23:00", "01:00"), "2017-09-07T00:15", "2017-09-06T23:00"),
        (("00:00", "00:00"), "2017-09-06T15:00", "2017-09-06T00:00"),
        (("00:00", "00:00"), "2017-09-06T00:00", "2017-09-06T00:00"),
        (("23:00",), "2018-05-14T22:00", "2018-05-14T23:00"),
    ],
)
def test_a_general_window_is_the_same_every_day(general: tuple[str, ...], now: str, start: str) -> None:
    assert starts(windows(general), now) == [start]


FROM_MONDAY_TO_FRIDAY_NIGHT = [
    ("2018-05-14T10:00", "2018-05-14T22:00"),
    ("2018-05-14T23:00", "2018-05-14T22:00"),
    ("2018-05-15T00:30", "2018-05-14T22:00"),
    ("2018-05-15T00:59", "2018-05-14T22:00"),
    ("2018-05-15T01:01", "2018-05-15T22:00"),
    ("2018-05-15T02:00", "2018-05-15T22:00"),
    ("2018-05-15T22:59", "2018-05-15T22:00"),
    ("2018-05-15T23:01", "2018-05-16T15:00"),
    ("2018-05-15T23:30", "2018-05-16T15:00"),
    ("2018-05-16T19:59", "2018-05-16T15:00"),
]
SUNDAY = [
    ("2018-05-20T09:00", "2018-05-20T10:00"),
    ("2018-05-20T19:59", "2018-05-20T10:00"),
    ("2018-05-20T20:01", "2018-05-21T22:00"),
]


@pytest.mark.parametrize(
    ("now", "start"),
    [
        *FROM_MONDAY_TO_FRIDAY_NIGHT,
        ("2018-05-16T20:01", "2018-05-18T22:00"),
        ("2018-05-16T21:00", "2018-05-18T22:00"),
        ("2018-05-19T00:59", "2018-05-18T22:00"),
        ("2018-05-19T01:01", "2018-05-20T10:00"),
        *SUNDAY,
    ],
)
def test_with_only_weekday_entries_the_other_days_have_no_window(now: str, start: str) -> None:
    assert starts(windows(**WEEK), now) == [start]


@pytest.mark.parametrize(
    "configured",
    [
        windows(("23:00", "00:00"), **WEEK),
        windows(thursday=("23:00", "00:00"), saturday=("23:00", "00:00"), **WEEK),
    ],
    ids=["general", "spelled out"],
)
@pytest.mark.parametrize(
    ("now", "start"),
    [
        *FROM_MONDAY_TO_FRIDAY_NIGHT,
        ("2018-05-16T20:01", "2018-05-17T23:00"),
        ("2018-05-16T21:00", "2018-05-17T23:00"),
        ("2018-05-17T23:59", "2018-05-17T23:00"),
        ("2018-05-18T00:01", "2018-05-18T22:00"),
        ("2018-05-19T01:01", "2018-05-19T23:00"),
        *SUNDAY,
    ],
)
def test_the_general_window_holds_on_days_without_an_entry(
    configured: BatchWindows, now: str, start: str
) -> None:
    assert starts(configured, now) == [start]


@pytest.mark.parametrize(
    ("day", "pair", "now", "start"),
    [
        ("wednesday", ("23:00", "06:00"), "2018-05-14T22:00", "2018-05-16T23:00"),
        ("monday", ("18:00", "20:00"), "2018-05-14T22:00", "2018-05-21T18:00"),
        ("monday", ("18:00", "20:00"), "2018-05-21T20:00:01", "2018-05-28T18:00"),
        ("monday", ("06:00", "06:00"), "2018-05-14T05:00", "2018-05-14T06:00"),
        ("monday", ("06:00", "06:00"), "2018-05-14T15:00", "2018-05-14T06:00"),
        ("monday", ("06:00", "06:00"), "2018-05-15T05:59", "2018-05-14T06:00"),
        ("monday", ("06:00", "06:00"), "2018-05-15T06:01", "2018-05-21T06:00"),
    ],
)
def test_a_window_once_a_week_is_found_up_to_a_week_ahead(
    day: str, pair: tuple[str, str], now: str, start: str
) -> None:
    assert starts(windows(**{day: pair}), now) == [start]


def test_the_start_is_inside_and_the_end_is_not() -> None:
    window = NIGHTLY.current_or_next(at("2024-01-10T20:00"))
    assert shown(window) == ("2024-01-10T20:00+01:00", "2024-01-11T06:00+01:00")
    assert NIGHTLY.current(at("2024-01-10T19:59:59.999999")) is None
    assert NIGHTLY.current(at("2024-01-10T20:00")) == window
    assert NIGHTLY.current(at("2024-01-11T05:59:59.999999")) == window
    assert NIGHTLY.current(at("2024-01-11T06:00")) is None


def test_a_window_that_has_begun_is_not_the_next() -> None:
    assert shown(NIGHTLY.next(at("2024-01-10T20:00"))) == ("2024-01-11T20:00+01:00", "2024-01-12T06:00+01:00")
    assert shown(NIGHTLY.next(at("2024-01-10T19:59"))) == ("2024-01-10T20:00+01:00", "2024-01-11T06:00+01:00")


def test_of_overlapping_windows_the_one_of_the_day_before_wins() -> None:
    both = windows(monday=("20:00", "19:00"), tuesday=("18:00", "21:00"))
    assert starts(both, "2024-01-09T18:30", "2024-01-09T19:30") == ["2024-01-08T20:00", "2024-01-09T18:00"]
    # the rest of Tuesday's, which has begun, is not next
    assert shown(both.next(at("2024-01-09T18:30"))) == ("2024-01-15T20:00+01:00", "2024-01-16T19:00+01:00")


def test_a_closed_day_has_no_window_of_its_own_but_the_night_before_goes_on() -> None:
    configured = windows(("22:00", "06:00"), sunday=None)
    assert starts(configured, "2024-01-13T23:00", "2024-01-14T05:00") == ["2024-01-13T22:00"] * 2
    assert starts(configured, "2024-01-14T06:00") == ["2024-01-15T22:00"]


@pytest.mark.parametrize(
    "configured",
    [
        windows(),
        windows(monday=None),
        windows(("20:00", "06:00"), **dict.fromkeys(WEEKDAYS)),
    ],
)
def test_without_any_window_there_is_no_answer(configured: BatchWindows) -> None:
    now = at("2024-01-10T12:00")
    assert not configured.configured
    assert configured.current_or_next(now) is None
    assert configured.next(now) is None
    assert configured.current(now) is None
    assert list(configured.occurrences(now)) == []


def test_midnight_may_be_written_as_the_end_of_the_day() -> None:
    now = at("2024-01-10T12:00")
    assert windows(("20:00", "24:00")).next(now) == windows(("20:00", "00:00")).next(now)
    assert shown(windows(("00:00", "24:00")).current(now)) == (
        "2024-01-10T00:00+01:00",
        "2024-01-11T00:00+01:00",
    )


def test_the_weekday_is_that_of_the_configured_zone() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    configured = windows(zone=tokyo, thursday=("08:00", "10:00"))
    assert shown(configured.current_or_next(at("2024-06-05T12:00Z")), tokyo) == (
        "2024-06-06T08:00+09:00",
        "2024-06-06T10:00+09:00",
    )
    # still Wednesday in UTC, already Thursday in Tokyo
    assert configured.current(at("2024-06-05T23:30Z")) is not None


@pytest.mark.parametrize(
    ("days", "now", "expected"),
    [
        # better than the engines, which lay the local time of day on the local Friday: Thursday in -08:00
        (
            {"friday": ("22:00-0800", "23:00-0800")},
            "2024-06-05T12:00",
            ("2024-06-08T08:00+02:00", "2024-06-08T09:00+02:00"),
        ),
        # and which ignore a Z
        (
            {"wednesday": ("20:00Z", "22:00Z")},
            "2024-01-10T01:00",
            ("2024-01-10T21:00+01:00", "2024-01-10T23:00+01:00"),
        ),
        (
            {"wednesday": ("20:00+01:00", "22:00+01:00")},
            "2024-07-03T12:00",
            ("2024-07-03T21:00+02:00", "2024-07-03T23:00+02:00"),
        ),
        # a start far in the east begins the evening before
        (
            {"wednesday": ("02:00+14:00", "03:00+14:00")},
            "2024-07-02T12:00",
            ("2024-07-02T14:00+02:00", "2024-07-02T15:00+02:00"),
        ),
    ],
)
def test_a_time_with_an_offset_is_that_date_at_that_offset(
    days: dict[str, tuple[str, str]], now: str, expected: tuple[str, str]
) -> None:
    assert shown(windows(**days).current_or_next(at(now))) == expected


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("20:00", "22:00-0500"), ("2024-01-10T20:00+01:00", "2024-01-11T04:00+01:00")),
        (("20:00", "22:00+1000"), ("2024-01-10T20:00+01:00", "2024-01-11T13:00+01:00")),
        (("22:00-0800", "12:00"), ("2024-01-11T07:00+01:00", "2024-01-11T12:00+01:00")),
        (("02:00+1400", "20:00-0800"), ("2024-01-09T13:00+01:00", "2024-01-10T05:00+01:00")),
        (("05:00Z", "05:00Z"), ("2024-01-10T06:00+01:00", "2024-01-11T06:00+01:00")),
    ],
)
def test_with_offsets_the_end_is_the_first_time_its_clock_shows_after_the_start(
    pair: tuple[str, str], expected: tuple[str, str]
) -> None:
    assert shown(windows(wednesday=pair).current_or_next(at("2024-01-08T12:00"))) == expected


def test_windows_are_found_in_order_of_start_even_when_offsets_turn_the_days_round() -> None:
    configured = windows(tuesday=("22:00-1200", "23:00-1200"), wednesday=("01:00+1400", "02:00+1400"))
    occurrences = list(configured.occurrences(at("2024-01-08T12:00"), count=4))
    assert [each.weekday for each in occurrences] == [2, 1, 2, 1]
    assert occurrences == sorted(occurrences, key=lambda each: each.start)


def test_openings_say_where_they_come_from() -> None:
    configured = windows(("22:00", "06:00"), saturday=("06:00", "06:00"), sunday=None)
    occurrences = list(configured.occurrences(at("2024-01-12T12:00"), count=3))
    assert [(str(each.rule), each.weekday, str(each.day), each.length) for each in occurrences] == [
        ("general", 4, "2024-01-12", timedelta(hours=8)),
        ("saturday", 5, "2024-01-13", timedelta(hours=24)),
        ("general", 0, "2024-01-15", timedelta(hours=8)),
    ]
    assert all(not each.clock_change and not each.start_moved for each in occurrences)


def test_openings_begin_with_the_current_one_and_end_before_the_limit() -> None:
    until = at("2024-01-12T20:00")
    occurrences = list(NIGHTLY.occurrences(at("2024-01-10T23:00"), until=until))
    assert [str(each.day) for each in occurrences] == ["2024-01-10", "2024-01-11"]
    assert list(NIGHTLY.occurrences(at("2024-01-10T23:00"), count=1, until=until)) == occurrences[:1]
    assert list(NIGHTLY.occurrences(at("2024-01-10T23:00"), count=0)) == []


def test_an_answer_is_in_utc_and_takes_any_aware_now() -> None:
    new_york = ZoneInfo("America/New_York")
    now = at("2024-01-10T23:00")
    window = NIGHTLY.current(now.astimezone(new_york))
    assert window == NIGHTLY.current(now)
    assert isinstance(window, Window)
    assert window.start.utcoffset() == timedelta(0)
    assert window.length == timedelta(hours=10)


def test_a_general_daily_window_and_cron_windows_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        windows(("20:00", "06:00"), ("0 2 * * *", "1h"))


def test_weekdays_have_numbers_from_monday_as_0() -> None:
    with pytest.raises(ValueError, match="from 0 to 6"):
        BatchWindows(BERLIN, weekdays={7: daily("20:00", "06:00")})
    assert windows(monday=("20:00", "06:00")).weekdays == {0: daily("20:00", "06:00")}


def test_the_end_of_the_calendar_ends_the_search() -> None:
    assert NIGHTLY.next(at("9998-12-31T12:00")) is None
