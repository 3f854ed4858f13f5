from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.windows.explanation import explain
from tests.support.windows import at, windows

if TYPE_CHECKING:
    from cleanupctl.core.windows.windows import BatchWindows


def table(configured: BatchWindows, now: str) -> list[tuple[str, str, str]]:
    """Day, rule and verdict of everything that was looked at."""
    considered = explain(configured, at(now)).considered
    return [(f"{one.day:%a %d}", str(one.rule), one.verdict.name) for one in considered]


def test_an_open_window_says_since_when_and_that_the_days_before_are_over() -> None:
    configured = windows(("20:00", "06:00"))
    explanation = explain(configured, at("2024-01-10T23:00"))
    assert explanation.is_open
    assert explanation.answer is not None
    assert str(explanation.answer.rule) == "general"
    assert table(configured, "2024-01-10T23:00") == [
        ("Tue 09", "general", "OVER"),
        ("Wed 10", "general", "CURRENT"),
    ]


def test_a_weekday_entry_that_replaces_the_general_rule_is_named() -> None:
    configured = windows(("20:00", "06:00"), saturday=("06:00", "06:00"), sunday=None)
    assert table(configured, "2024-01-14T07:00") == [
        ("Sat 13", "saturday", "OVER"),
        ("Sat 13", "general", "REPLACED"),
        ("Sun 14", "sunday", "CLOSED"),
        ("Sun 14", "general", "REPLACED"),
        ("Mon 15", "general", "NEXT"),
    ]


def test_days_without_a_rule_are_said_to_have_none() -> None:
    assert table(windows(friday=("20:00", "22:00")), "2024-01-10T12:00") == [
        ("Tue 09", "None", "NO_RULE"),
        ("Wed 10", "None", "NO_RULE"),
        ("Thu 11", "None", "NO_RULE"),
        ("Fri 12", "friday", "NEXT"),
    ]


def test_of_overlapping_windows_the_loser_is_named_too() -> None:
    both = windows(monday=("20:00", "19:00"), tuesday=("18:00", "21:00"))
    assert table(both, "2024-01-09T18:30") == [
        ("Mon 08", "monday", "CURRENT"),
        ("Tue 09", "tuesday", "OVERLAPPED"),
    ]


def test_a_window_that_the_clocks_skip_is_named() -> None:
    assert table(windows(("02:15", "02:45")), "2024-03-30T12:00") == [
        ("Fri 29", "general", "OVER"),
        ("Sat 30", "general", "OVER"),
        ("Sun 31", "general", "SKIPPED"),
        ("Mon 01", "general", "NEXT"),
    ]


def test_cron_expressions_are_told_apart_by_their_number() -> None:
    configured = windows(None, ("0 2 * * 1", "1h"), ("0 3 10 * *", "1h"))
    assert table(configured, "2024-01-08T12:00") == [
        ("Sun 07", "cron 1", "NO_OCCURRENCE"),
        ("Sun 07", "cron 2", "NO_OCCURRENCE"),
        ("Mon 08", "cron 1", "OVER"),
        ("Mon 08", "cron 2", "NO_OCCURRENCE"),
        ("Tue 09", "cron 1", "NO_OCCURRENCE"),
        ("Tue 09", "cron 2", "NO_OCCURRENCE"),
        ("Wed 10", "cron 2", "NEXT"),
        ("Wed 10", "cron 1", "NO_OCCURRENCE"),
    ]


def test_an_occurrence_inside_a_window_of_another_day_is_part_of_that() -> None:
    configured = windows(None, ("0 22 * * 1", "4h"), ("0 1 * * 2", "4h"))
    assert table(configured, "2024-01-09T03:00") == [
        ("Mon 08", "cron 1", "CURRENT"),
        ("Mon 08", "cron 2", "NO_OCCURRENCE"),
        ("Tue 09", "cron 1", "NO_OCCURRENCE"),
        ("Tue 09", "cron 2", "MERGED"),
    ]


def test_at_its_end_a_window_is_over() -> None:
    assert table(windows(("20:00", "22:00")), "2024-01-10T22:00") == [
        ("Tue 09", "general", "OVER"),
        ("Wed 10", "general", "OVER"),
        ("Thu 11", "general", "NEXT"),
    ]


def test_a_piece_of_a_long_series_is_named_on_a_day_that_starts_none() -> None:
    configured = windows(None, ("30 2 * * *", "50h"), friday=None)
    assert table(configured, "2024-01-12T12:00") == [
        ("Thu 11", "cron 1", "OVER"),
        ("Fri 12", "cron 1", "CURRENT"),
        ("Fri 12", "friday", "CLOSED"),
    ]


def test_a_far_answer_is_listed_after_the_coming_week() -> None:
    rows = table(windows(None, ("0 2 29 2 *", "1h")), "2025-01-10T12:00")
    assert len(rows) == 10
    assert rows[-2] == ("Fri 17", "cron 1", "NO_OCCURRENCE")
    assert rows[-1] == ("Tue 29", "cron 1", "NEXT")


def test_a_long_window_of_many_days_ago_is_still_named() -> None:
    rows = table(windows(None, ("0 0 1 * *", "20d")), "2024-01-18T12:00")
    assert ("Mon 01", "cron 1", "CURRENT") in rows


def test_without_a_window_a_week_of_reasons_is_given() -> None:
    explanation = explain(windows(monday=None), at("2024-01-10T12:00"))
    assert explanation.answer is None
    assert not explanation.is_open
    assert [one.verdict.name for one in explanation.considered] == ["NO_RULE"] * 6 + ["CLOSED"] + [
        "NO_RULE"
    ] * 2
    assert explanation.others == explanation.considered
