from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.windows.windows import BatchWindows, CronWindow, parse_cron_window
from tests.support.windows import at, shown, windows

HALF_PAST_TWO = windows(None, ("30 2 * * *", "1h"))
ALWAYS = windows(None, ("* * * * *", "1h"))


def spans(configured: BatchWindows, start: str, count: int) -> list[tuple[str, str] | None]:
    """The openings from an instant on, by the wall clock."""
    return [shown(each.window) for each in configured.occurrences(at(start), count=count)]


def test_a_cron_window_lasts_for_its_duration() -> None:
    assert spans(windows(None, ("0 22 * * MON-FRI", "8h")), "2024-01-12T12:00", 2) == [
        ("2024-01-12T22:00+01:00", "2024-01-13T06:00+01:00"),
        ("2024-01-15T22:00+01:00", "2024-01-16T06:00+01:00"),
    ]


def test_the_start_is_inside_and_the_end_is_not() -> None:
    window = HALF_PAST_TWO.current(at("2024-01-10T02:30"))
    assert shown(window) == ("2024-01-10T02:30+01:00", "2024-01-10T03:30+01:00")
    assert HALF_PAST_TWO.current(at("2024-01-10T03:29:59.999")) == window
    assert HALF_PAST_TWO.current(at("2024-01-10T03:30")) is None
    assert shown(HALF_PAST_TWO.next(at("2024-01-10T02:30"))) == (
        "2024-01-11T02:30+01:00",
        "2024-01-11T03:30+01:00",
    )


def test_an_occurrence_in_the_gap_moves_to_its_end_and_the_next_day_is_as_usual() -> None:
    assert spans(HALF_PAST_TWO, "2024-03-30T12:00", 2) == [
        ("2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"),
        ("2024-04-01T02:30+02:00", "2024-04-01T03:30+02:00"),
    ]


def test_an_occurrence_that_the_clocks_show_twice_comes_once_at_the_first() -> None:
    assert spans(HALF_PAST_TWO, "2024-10-26T12:00", 2) == [
        ("2024-10-27T02:30+02:00", "2024-10-27T02:30+01:00"),
        ("2024-10-28T02:30+01:00", "2024-10-28T03:30+01:00"),
    ]


def test_occurrences_that_the_gap_brings_together_are_one_window() -> None:
    configured = windows(None, ("*/30 1-3 * * *", "10m"))
    starts = [opening.start for opening in configured.occurrences(at("2024-03-30T12:00"), count=4)]
    assert starts == [at(f"2024-03-31T{time}") for time in ("01:00", "01:30", "03:00", "03:30")]
    assert len(set(starts)) == 4


def test_the_answer_is_the_same_from_whatever_offset_it_is_asked() -> None:
    for now in ("2024-03-30T12:00", "2024-10-26T12:00"):
        instant = at(now)
        for zone in ("UTC", "America/New_York", "Asia/Kathmandu"):
            assert HALF_PAST_TWO.next(instant.astimezone(ZoneInfo(zone))) == HALF_PAST_TWO.next(instant)


def test_overlapping_and_touching_windows_are_one() -> None:
    assert spans(windows(None, ("0 22-23,0-5 * * *", "1h")), "2024-01-10T12:00", 2) == [
        ("2024-01-10T22:00+01:00", "2024-01-11T06:00+01:00"),
        ("2024-01-11T22:00+01:00", "2024-01-12T06:00+01:00"),
    ]
    assert spans(windows(None, ("*/30 20-21 * * *", "1h")), "2024-01-10T12:00", 1) == [
        ("2024-01-10T20:00+01:00", "2024-01-10T22:30+01:00"),
    ]


def test_windows_of_several_expressions_are_one_where_they_meet() -> None:
    configured = windows(None, ("0 20 * * *", "2h"), ("0 22 * * *", "2h"), ("0 3 * * *", "1h"))
    first, second = configured.occurrences(at("2024-01-10T12:00"), count=2)
    assert shown(first.window) == ("2024-01-10T20:00+01:00", "2024-01-11T00:00+01:00")
    assert (str(first.rule), str(second.rule)) == ("cron 1", "cron 3")


def test_a_weekend_of_minutes_is_one_window() -> None:
    assert spans(windows(None, ("* * * * 6,0", "1m")), "2024-01-10T12:00", 1) == [
        ("2024-01-13T00:00+01:00", "2024-01-15T00:00+01:00"),
    ]


def test_a_single_long_window_is_not_cut() -> None:
    assert spans(windows(None, ("0 0 1 * *", "10d")), "2024-01-05T12:00", 1) == [
        ("2024-01-01T00:00+01:00", "2024-01-11T00:00+01:00"),
    ]


def test_what_never_closes_is_one_window_a_day() -> None:
    assert spans(ALWAYS, "2024-01-10T12:00", 2) == [
        ("2024-01-10T00:00+01:00", "2024-01-11T00:00+01:00"),
        ("2024-01-11T00:00+01:00", "2024-01-12T00:00+01:00"),
    ]
    assert shown(ALWAYS.next(at("2024-01-10T12:00"))) == ("2024-01-11T00:00+01:00", "2024-01-12T00:00+01:00")


@pytest.mark.parametrize("expression", ["* * 1-20 * *", "* * * * *", "0 */6 3-28 * *"])
def test_the_pieces_of_a_long_opening_do_not_depend_on_when_they_are_asked_for(expression: str) -> None:
    configured = windows(None, (expression, "6h"))
    occurrences = list(configured.occurrences(at("2024-01-01T12:00"), until=at("2024-02-02T00:00")))
    for opening in occurrences:
        for share in (0, 0.01, 0.5, 0.99):
            assert configured.current(opening.start + share * opening.length) == opening.window
    assert all(one.end <= other.start for one, other in pairwise(occurrences))


def test_pieces_are_whole_days_between_the_real_ends() -> None:
    first, *others = windows(None, ("* * 1-20 * *", "1m")).occurrences(at("2024-01-01T00:00"), count=20)
    assert shown(first.window) == ("2024-01-01T00:00+01:00", "2024-01-02T00:00+01:00")
    assert [each.length for each in others] == [timedelta(days=1)] * 19
    assert others[-1].end == at("2024-01-21T00:00")


def test_a_weekday_entry_replaces_the_occurrences_of_its_day() -> None:
    configured = windows(None, ("0 2 * * *", "1h"), sunday=("06:00", "18:00"), monday=None)
    occurrences = configured.occurrences(at("2024-01-13T12:00"), count=2)
    assert [(str(each.rule), str(each.day)) for each in occurrences] == [
        ("sunday", "2024-01-14"),
        ("cron 1", "2024-01-16"),
    ]


def test_the_night_before_a_weekday_entry_wins_while_it_is_open() -> None:
    configured = windows(None, ("0 22 * * *", "12h"), sunday=("06:00", "18:00"))
    assert shown(configured.current(at("2024-01-14T08:00"))) == (
        "2024-01-13T22:00+01:00",
        "2024-01-14T10:00+01:00",
    )
    assert shown(configured.current(at("2024-01-14T10:00"))) == (
        "2024-01-14T06:00+01:00",
        "2024-01-14T18:00+01:00",
    )


def test_a_day_that_comes_every_few_years_is_found() -> None:
    assert spans(windows(None, ("0 2 29 2 *", "1h")), "2096-03-01T00:00", 1) == [
        ("2104-02-29T02:00+01:00", "2104-02-29T03:00+01:00"),
    ]
    only_mondays = dict.fromkeys(["tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])
    assert spans(windows(None, ("0 2 29 2 *", "1h"), **only_mondays), "2025-01-01T00:00", 1) == [
        ("2044-02-29T02:00+01:00", "2044-02-29T03:00+01:00"),
    ]


def test_occurrences_that_all_fall_on_closed_days_give_no_window() -> None:
    configured = windows(None, ("0 2 * * 1", "1h"), monday=None)
    assert configured.current_or_next(at("2024-01-10T12:00")) is None


def test_a_cron_window_is_read_from_texts() -> None:
    assert parse_cron_window("@daily", "PT90M") == CronWindow("@daily", timedelta(minutes=90))


@pytest.mark.parametrize(
    ("expression", "duration", "reason"),
    [
        ("0 2 30 2 *", "1h", "is not a cron expression"),
        ("0 2 * * *", "soon", "soon is not a duration"),
        ("0 2 * * *", "32d", "32d is too long for a batch window: 31 days are the most"),
    ],
)
def test_a_refused_cron_window_says_why(expression: str, duration: str, reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        parse_cron_window(expression, duration)
