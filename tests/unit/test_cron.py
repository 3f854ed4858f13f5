from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.windows.cron import ALIASES, CronSchedule, read_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

SUNDAY = datetime.fromisoformat("2024-09-01")


def occurrences(schedule: CronSchedule, day: datetime) -> Iterator[datetime]:
    """Wall-clock occurrences from a midnight on."""
    for number in range(9 * 366):
        midnight = day + timedelta(days=number)
        if schedule.occurs_on(midnight.date()):
            yield from (midnight + time for time in schedule.times)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["2024-09-01T02:30", "2024-09-02T02:30"]),
        ("*/30 22-23 * * *", ["2024-09-01T22:00", "2024-09-01T22:30", "2024-09-01T23:00"]),
        ("0 2 * * 1", ["2024-09-02T02:00", "2024-09-09T02:00"]),
        ("0 2 * * MON-FRI", ["2024-09-02T02:00", "2024-09-03T02:00"]),
        ("0 2 * * sun", ["2024-09-01T02:00", "2024-09-08T02:00"]),
        ("0 2 * * 7", ["2024-09-01T02:00", "2024-09-08T02:00"]),
        ("0 2 * * 6-7", ["2024-09-01T02:00", "2024-09-07T02:00", "2024-09-08T02:00"]),
        ("0 2 1,15 OCT *", ["2024-10-01T02:00", "2024-10-15T02:00", "2025-10-01T02:00"]),
        ("0 2 29 2 *", ["2028-02-29T02:00", "2032-02-29T02:00"]),
        ("0 2 1-31/10 * *", ["2024-09-01T02:00", "2024-09-11T02:00", "2024-09-21T02:00", "2024-10-01T02:00"]),
        ("0 2 * * *,0", ["2024-09-01T02:00", "2024-09-02T02:00"]),
        ("@daily", ["2024-09-01T00:00", "2024-09-02T00:00"]),
        ("@weekly", ["2024-09-01T00:00", "2024-09-08T00:00"]),
        ("@monthly", ["2024-09-01T00:00", "2024-10-01T00:00"]),
        ("@hourly", ["2024-09-01T00:00", "2024-09-01T01:00"]),
    ],
)
def test_an_expression_occurs_at_the_times_cron_means(expression: str, expected: list[str]) -> None:
    found = islice(occurrences(read_expression(expression), SUNDAY), len(expected))
    assert [each.isoformat(timespec="minutes") for each in found] == expected


def test_day_of_month_and_day_of_week_both_set_mean_or() -> None:
    days = [each.day for each in occurrences(read_expression("0 2 13 9 FRI"), SUNDAY) if each.year == 2024]
    assert days == [6, 13, 20, 27]
    days = [each.day for each in occurrences(read_expression("0 2 10 9 FRI"), SUNDAY) if each.year == 2024]
    assert days == [6, 10, 13, 20, 27]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "write five fields"),
        ("0 2 * *", "write five fields"),
        ("0 2 * * * 0", "write five fields"),
        ("0 2 * * * 0 2030", "write five fields"),
        ("@reboot", "@hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually are times"),
        ("@DAILY", "are times to start at"),
        ("60 * * * *", "the minute goes from 0 to 59, not '60'"),
        ("0 24 * * *", "the hour goes from 0 to 23, not '24'"),
        ("0 2 0 * *", "the day of month goes from 1 to 31, not '0'"),
        ("0 2 * 13 *", "the month goes from 1 to 12 or jan to dec, not '13'"),
        ("0 2 * * 8", "the day of week goes from 0 to 7 or sun to sat, not '8'"),
        ("0 2 * * friday", "not 'friday'"),
        ("0 2 L * *", "not 'L'"),
        ("0 2 15W * *", "not '15W'"),
        ("0 2 ? * *", "not '?'"),
        ("0 2 * * 1#2", "not '1#2'"),
        ("0 2 * * L5", "not 'L5'"),
        ("R 2 * * *", "not 'R'"),
        ("H 2 * * *", "not 'H'"),
        ("0 22-2 * * *", "the range '22-2' in the field hour does not go upwards"),
        # croniter reads 5-5 as every day
        ("0 2 * * 5-5", "the range '5-5' in the field day of week does not go upwards"),
        ("*/0 * * * *", "a step is at least 1"),
        ("1/2 * * * *", "write 1-59/2"),
        ("-5 * * * *", "'-5' in the field minute is neither"),
        ("1,,2 * * * *", "'' in the field minute is neither"),
        ("0 2 * * \u0661", "write five fields"),
        # what never comes
        ("0 2 30 2 *", "can never occur"),
        ("0 2 31 4,6,9,11 *", "can never occur"),
    ],
)
def test_a_refused_expression_says_why(expression: str, reason: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        read_expression(expression)
    assert reason in refused.value.message
    assert "is not a cron expression" in refused.value.message


def items(lowest: int, highest: int) -> st.SearchStrategy[str]:
    """Items of one field."""
    numbers = st.integers(lowest, highest)
    ranges = st.tuples(numbers, numbers).filter(lambda pair: pair[0] < pair[1])
    return st.one_of(
        st.just("*"),
        numbers.map(str),
        ranges.map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.tuples(ranges, st.integers(1, 9)).map(lambda each: f"{each[0][0]}-{each[0][1]}/{each[1]}"),
        st.integers(1, 9).map(lambda step: f"*/{step}"),
    )


def fields(lowest: int, highest: int) -> st.SearchStrategy[str]:
    """A field: a list of items."""
    return st.lists(items(lowest, highest), min_size=1, max_size=3).map(",".join)


def numbers_of(field: str, lowest: int, highest: int) -> set[int]:
    """The meaning of a field, written down independently."""
    numbers: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        low, _, high = span.partition("-")
        first = lowest if low == "*" else int(low)
        last = highest if low == "*" else int(high or low)
        numbers |= set(range(first, last + 1, int(step or 1)))
    return numbers


@given(fields(0, 59), fields(0, 23), fields(1, 28), fields(1, 12), fields(0, 7), st.dates())
def test_any_expression_means_what_its_fields_say(
    minute: str, hour: str, day_of_month: str, month: str, day_of_week: str, day: datetime
) -> None:
    schedule = read_expression(" ".join([minute, hour, day_of_month, month, day_of_week]))
    assert {(time.seconds // 3600, time.seconds // 60 % 60) for time in schedule.times} == {
        (each_hour, each_minute)
        for each_hour in numbers_of(hour, 0, 23)
        for each_minute in numbers_of(minute, 0, 59)
    }
    assert list(schedule.times) == sorted(schedule.times)
    days, weekdays = numbers_of(day_of_month, 1, 31), {number % 7 for number in numbers_of(day_of_week, 0, 7)}
    in_month, in_week = day.day in days, day.isoweekday() % 7 in weekdays
    # a field with all numbers, spelled out, counts as * beside one with a * in it
    any_day = "*" in day_of_month.split(",") or (len(days) == 31 and "*" in day_of_week)
    any_weekday = "*" in day_of_week.split(",") or (len(weekdays) == 7 and "*" in day_of_month)
    of_these = in_month and in_week if any_day or any_weekday else in_month or in_week
    assert schedule.occurs_on(day) == (day.month in numbers_of(month, 1, 12) and of_these)


@pytest.mark.parametrize("alias", ALIASES)
def test_every_name_that_messages_list_is_accepted(alias: str) -> None:
    assert read_expression(alias).times


def test_croniter_is_imported_only_for_a_cron_window() -> None:
    program = (
        "import sys\n"
        "from datetime import datetime, UTC\n"
        "from cleanupctl.core.jobs import scheduler\n"
        "from tests.support.windows import windows\n"
        "from cleanupctl.core.windows.explanation import explain\n"
        "explain(windows(('20:00', '06:00')), datetime.now(UTC))\n"
        "assert 'croniter' not in sys.modules\n"
        "windows(None, ('0 2 * * *', '1h')).next(datetime.now(UTC))\n"
        "assert 'croniter' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
