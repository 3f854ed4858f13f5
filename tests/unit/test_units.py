"""What a number of a time column counts: each unit there and back, and what the others make of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.history.databases.units import UNITS, other_units, readings

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
SECONDS = 1_795_773_600


@pytest.mark.parametrize(
    ("unit", "number"),
    [
        ("seconds", SECONDS),
        ("milliseconds", SECONDS * 1000),
        ("microseconds", SECONDS * 10**6),
        ("days", 20784),
        ("julian-day", 2461371),
    ],
)
def test_each_unit_has_the_number_that_others_know_for_a_moment(unit: str, number: int) -> None:
    assert UNITS[unit].last_number(NOW) == number


@given(
    st.sampled_from(sorted(UNITS)),
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001 hypothesis adds the zone
)
def test_the_last_number_of_a_moment_is_never_after_it(unit: str, moment: datetime) -> None:
    instant = moment.replace(tzinfo=UTC)
    found = UNITS[unit]
    last = found.instant(found.last_number(instant))
    assert last is not None
    assert last - timedelta(milliseconds=1) <= instant < last + found.size + timedelta(milliseconds=1)


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 10**17, float("inf"), float("nan"), 1e300])
def test_a_number_beyond_all_calendars_is_no_time_in_any_unit(number: float) -> None:
    assert UNITS["seconds"].instant(number) is None
    assert "as seconds no date of a calendar" in readings(number)


def test_a_number_is_told_in_every_unit() -> None:
    assert readings(SECONDS, without="days") == (
        "as seconds 2026-11-27 10:00, as milliseconds 1970-01-21 18:49, as microseconds 1970-01-01 00:29,"
        " as julian-day no date of a calendar"
    )


def test_only_one_unit_puts_a_number_near_today() -> None:
    year = timedelta(days=365)
    for name, unit in UNITS.items():
        number = unit.last_number(NOW)
        assert other_units(number, NOW - 20 * year, NOW + 20 * year, without=None) == [name]
