from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.times import (
    EARLIEST,
    TimeOfDay,
    cutoff,
    format_instant,
    parse_duration,
    parse_instant,
    parse_time_of_day,
    parse_ttl,
    removal_time,
    resolve,
)

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
ZONES = [
    ZoneInfo(name)
    for name in (
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
]
INSTANTS = st.datetimes(
    datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2037-01-01"), timezones=st.just(UTC)
)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20:00", TimeOfDay(20, 0)),
        ("7:05", TimeOfDay(7, 5)),
        ("00:00", TimeOfDay(0, 0)),
        ("23:59", TimeOfDay(23, 59)),
        ("22:00+0200", TimeOfDay(22, 0, hours(2))),
        ("22:00+02:00", TimeOfDay(22, 0, hours(2))),
        ("22:00-0800", TimeOfDay(22, 0, hours(-8))),
        ("22:00-03:30", TimeOfDay(22, 0, hours(-3.5))),
        ("22:00Z", TimeOfDay(22, 0, hours(0))),
    ],
)
def test_a_time_of_day_is_hours_and_minutes_with_an_offset_at_most(text: str, expected: TimeOfDay) -> None:
    assert parse_time_of_day(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("25:00", "25:00 is not a time of day: the hour goes from 0 to 23"),
        ("24:01", "24:01 is not a time of day: the hour goes from 0 to 23"),
        ("22:60", "22:60 is not a time of day: the minute goes from 00 to 59"),
        ("24:00", "24:00 is not a time of day to start at: 24:00 is only an end, write 00:00"),
        ("22:00+1900", "22:00+1900 is not a time of day: the offset goes from -18:00 to +18:00"),
        ("22:00+0160", "22:00+0160 is not a time of day: the offset goes from -18:00 to +18:00"),
    ],
)
def test_a_refused_time_of_day_says_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        parse_time_of_day(text)
    assert refused.value.message == reason


@pytest.mark.parametrize(
    "text",
    # everything here is accepted by the engines, and mostly not as what it looks like
    [
        "22:00xyz",
        "8:00 PM",
        "12:00AM",
        "-1:00",
        "1:-5",
        "7:5",
        "007:05",
        "20:00:30",
        "20:00+01",
        "20:00+1",
        "20:00UTC",
        "20:00CET",
        "20:00Europe/Berlin",
        "20:00 +0100",
        " 7:05",
        "20:00 ",
        "\u0662\u0660:\u0660\u0660",
        "20:00z",
        # and this by nobody
        "",
        "20",
        "2000",
        "20:",
        ":30",
        "20.00",
        "20h00",
        "+7:00",
        "T20:00",
        "null",
        "20\uff1a00",
    ],
)
def test_anything_else_is_no_time_of_day(text: str) -> None:
    with pytest.raises(InvalidValueError, match="write HH:mm, maybe with an offset"):
        parse_time_of_day(text)


def test_midnight_at_the_end_of_a_day_is_only_an_end() -> None:
    assert parse_time_of_day("24:00", end=True) == TimeOfDay(24, 0)
    with pytest.raises(InvalidValueError):
        parse_time_of_day("24:01", end=True)


@given(
    st.integers(0, 23),
    st.integers(0, 59),
    st.none() | st.integers(-18 * 60, 18 * 60).map(lambda m: hours(m / 60)),
)
def test_a_time_of_day_reads_back_what_it_shows(hour: int, minute: int, offset: timedelta | None) -> None:
    time = TimeOfDay(hour, minute, offset)
    assert parse_time_of_day(str(time)) == time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("30s", timedelta(seconds=30)),
        ("10m", timedelta(minutes=10)),
        ("2h", hours(2)),
        ("1h30m", hours(1.5)),
        ("1d", timedelta(days=1)),
        ("1d2h3m4s5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
        ("90m", hours(1.5)),
        ("PT2H", hours(2)),
        ("P1D", timedelta(days=1)),
        ("P1W", timedelta(days=7)),
        ("P1DT12H", hours(36)),
        ("PT1H30M", hours(1.5)),
        ("PT0.25S", timedelta(milliseconds=250)),
    ],
)
def test_durations_are_numbers_with_units_or_iso_8601(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "h",
        "2 h",
        "2H",
        "-2h",
        "1.5h",
        "30m1h",
        "1h1h",
        "P",
        "PT",
        "P1DT",
        "P1M",
        "P1Y",
        "PT2",
        "p1d",
        "\u0662h",
        "1h\n",
        "+2h",
        "PT-2H",
        "1d ",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="is not a duration: write one such as"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0s", "0h0m", "PT0S", "P0D"])
def test_a_duration_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="must be longer than nothing"):
        parse_duration(text)


def test_a_duration_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="too long"):
        parse_duration("9999999999999d")


@pytest.mark.parametrize(
    ("value", "days"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("5", 5),
        ("P5D", 5),
        ("P0D", 0),
        ("+5", 5),
        ("05", 5),
        ("P05D", 5),
        ("2147483647", 2147483647),
        ("P365D", 365),
        ("\uff11\uff12", 12),
        ("\u0663", 3),
        (0, 0),
        (30, 30),
    ],
)
def test_a_time_to_live_is_days(value: str | int | None, days: int | None) -> None:
    assert parse_ttl(value) == days


@pytest.mark.parametrize(
    "value",
    [
        "p5d",
        "P5d",
        "P-5D",
        "P5DT1H",
        "P1M",
        "PT5D",
        "5D",
        "P5",
        " 5",
        "5 ",
        "P 5D",
        "abc",
        "1.5",
        "P1.5D",
        "P5D ",
        "P\u0663D",
        "PD",
        "D",
        "null",
        "1_0",
        "P+5D",
        True,
        False,
        1.0,
    ],
)
def test_what_is_no_time_to_live_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError, match="is not a time to live: write days as P30D or 30"):
        parse_ttl(value)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("value", "reason"), [("-5", "negative"), (-1, "negative"), ("2147483648", "longer than")]
)
def test_a_time_to_live_out_of_bounds_says_so(value: str | int, reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        parse_ttl(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017-04-06T13:57:45.000+0200", "2017-04-06T11:57:45+00:00"),
        ("2017-04-06T13:57:45.123456Z", "2017-04-06T11:57:45.123456+00:00".replace("11:", "13:")),
        ("2017-04-06T13:57", "2017-04-06T11:57:00+00:00"),
        ("2017-04-06 13:57", "2017-04-06T11:57:00+00:00"),
        ("2017-04-06", "2017-04-05T22:00:00+00:00"),
        # the clocks skip it: the end of the gap
        ("2024-03-31T02:30", "2024-03-31T01:00:00+00:00"),
        # they show it twice: the first
        ("2024-10-27T02:30", "2024-10-27T00:30:00+00:00"),
        ("2024-10-27T02:30+01:00", "2024-10-27T01:30:00+00:00"),
    ],
)
def test_instants_are_iso_8601_by_the_clock_of_the_zone(text: str, expected: str) -> None:
    assert parse_instant(text, BERLIN).isoformat() == expected
    assert parse_instant(text, BERLIN).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "now", "tomorrow", "13:57", "2024-02-30", "2024-03-31T25:00", "31.03.2024"]
)
def test_what_is_no_instant_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidValueError, match="is not a time: write 2024-03-31T22:00"):
        parse_instant(text, BERLIN)


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59:59+00:00"])
def test_years_at_the_ends_of_the_calendar_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="the year goes from 1900 to 9998"):
        parse_instant(text, BERLIN)


def test_an_instant_is_written_as_the_engines_write_it() -> None:
    instant = datetime(2017, 4, 6, 11, 57, 45, 999_999, tzinfo=UTC)
    assert format_instant(instant, BERLIN) == "2017-04-06T13:57:45.999+0200"
    assert format_instant(instant, ZoneInfo("UTC")) == "2017-04-06T11:57:45.999+0000"
    assert format_instant(instant, ZoneInfo("America/St_Johns")) == "2017-04-06T09:27:45.999-0230"
    assert format_instant(None, BERLIN) is None
    # offsets with seconds are of the past; the form has no room for them
    old = datetime(1950, 1, 1, tzinfo=UTC)
    assert format_instant(old, ZoneInfo("Africa/Monrovia")) == "1949-12-31T23:15:30.000-0044"


@given(INSTANTS, st.sampled_from(ZONES))
def test_what_is_written_reads_back_to_the_millisecond(instant: datetime, zone: ZoneInfo) -> None:
    cut = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert parse_instant(format_instant(instant, zone), ZoneInfo("UTC")) == cut


@given(INSTANTS, st.sampled_from(ZONES))
@example(datetime(2024, 10, 27, 0, 30, tzinfo=UTC), BERLIN)
@example(datetime(2024, 10, 27, 1, 30, tzinfo=UTC), BERLIN)
def test_resolving_a_wall_clock_gives_an_instant_that_shows_it(instant: datetime, zone: ZoneInfo) -> None:
    wall_clock = instant.astimezone(zone).replace(tzinfo=None)
    first, second = resolve(wall_clock, zone), resolve(wall_clock, zone, latest=True)
    for each in (first, second):
        assert each.astimezone(zone).replace(tzinfo=None, fold=0) == wall_clock.replace(fold=0)
    assert first <= second
    assert instant in (first, second)


@pytest.mark.parametrize(
    ("zone", "skipped", "end_of_gap"),
    [
        ("Europe/Berlin", "2024-03-31T02:00", "2024-03-31T03:00+02:00"),
        ("Europe/Berlin", "2024-03-31T02:59:59.999", "2024-03-31T03:00+02:00"),
        ("Australia/Lord_Howe", "2024-10-06T02:10", "2024-10-06T02:30+11:00"),
        ("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T01:00-02:00"),
        ("Pacific/Apia", "2011-12-30T00:00", "2011-12-31T00:00+14:00"),
        ("Pacific/Apia", "2011-12-30T23:59", "2011-12-31T00:00+14:00"),
    ],
)
def test_a_wall_clock_that_is_skipped_is_the_end_of_the_gap(zone: str, skipped: str, end_of_gap: str) -> None:
    for latest in (False, True):
        found = resolve(datetime.fromisoformat(skipped), ZoneInfo(zone), latest=latest)
        assert found.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") == end_of_gap


@pytest.mark.parametrize(
    ("zone", "base", "days", "expected"),
    [
        # the wall clock is kept, not 24 hours a day
        ("Europe/Berlin", "2024-03-30T12:00+01:00", 1, "2024-03-31T12:00+02:00"),
        ("Europe/Berlin", "2024-10-26T12:00+02:00", 1, "2024-10-27T12:00+01:00"),
        ("Asia/Tokyo", "2024-03-30T12:00+09:00", 365, "2025-03-30T12:00+09:00"),
        ("Europe/Berlin", "2024-02-29T12:00+01:00", 0, "2024-02-29T12:00+01:00"),
        # of a wall clock that comes twice, the one with the offset of the base
        ("America/New_York", "2026-05-05T01:10-04:00", 180, "2026-11-01T01:10-04:00"),
        ("America/New_York", "2026-11-08T01:10-05:00", 358, "2027-11-01T01:10-04:00"),
        # of one that does not come, what the engines' calendar makes of it
        ("Australia/Lord_Howe", "2021-07-05T02:11+10:30", 90, "2021-10-03T01:41+10:30"),
        ("Pacific/Chatham", "2027-09-24T03:27+12:45", 2, "2027-09-26T02:27+12:45"),
        ("Pacific/Chatham", "2024-04-02T03:28+13:45", 180, "2024-09-29T04:28+13:45"),
        ("Asia/Tehran", "2014-06-26T00:52+04:30", 1000, "2017-03-22T01:52+04:30"),
        ("Asia/Tehran", "2017-03-01T00:52+03:30", 21, "2017-03-22T01:52+04:30"),
    ],
)
def test_removal_time_is_calendar_days_after_the_base(zone: str, base: str, days: int, expected: str) -> None:
    place = ZoneInfo(zone)
    found = removal_time(datetime.fromisoformat(base), days, place)
    assert found.tzinfo is UTC
    assert found.astimezone(place).isoformat(timespec="minutes") == expected


@pytest.mark.parametrize("days", [0, 1, 30, 180, 2402])
@given(base=INSTANTS, zone=st.sampled_from(ZONES))
def test_the_cutoff_finds_the_base_of_a_removal_time(days: int, base: datetime, zone: ZoneInfo) -> None:
    expires = removal_time(base, days, zone)
    # within a day of a clock change at either end it may be off by what is changed
    near = [
        (instant + timedelta(days=day)).astimezone(zone).utcoffset()
        for instant in (base, expires)
        for day in (-1, 1)
    ]
    calm = near[0] == near[1] and near[2] == near[3]
    assert abs(cutoff(expires, days, zone) - base) <= (timedelta(0) if calm else timedelta(days=1))


def test_the_cutoff_takes_the_first_of_two_so_that_nothing_goes_early() -> None:
    now = datetime.fromisoformat("2024-11-06T02:30+01:00")
    assert cutoff(now, 10, BERLIN) == datetime.fromisoformat("2024-10-27T02:30+02:00")


def test_a_time_to_live_longer_than_the_calendar_expires_nothing() -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC)
    assert cutoff(now, 2**31 - 1, BERLIN) == EARLIEST
    assert cutoff(now, 1_000 * 366, BERLIN) > EARLIEST
    assert cutoff(now, 1_500 * 366, BERLIN) == EARLIEST


def test_half_an_hour_is_a_change_of_the_clocks_too() -> None:
    first = resolve(datetime.fromisoformat("2024-04-07T01:45"), LORD_HOWE)
    second = resolve(datetime.fromisoformat("2024-04-07T01:45"), LORD_HOWE, latest=True)
    assert second - first == timedelta(minutes=30)
