"""How values get in and out of the job store's tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.core.job import Removed
from cleanupctl.core.store.failures import Failure, store_error
from cleanupctl.core.store.models import DurationField, InstantField, RemovedField, WordsField
from cleanupctl.core.urls import parse_url

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1), timezones=OFFSETS)  # noqa: DTZ001


@given(INSTANTS)
def test_an_instant_comes_back_in_utc_cut_to_the_millisecond(instant: datetime) -> None:
    field = InstantField()
    stored = field.db_value(instant)
    assert isinstance(stored, int)
    back = field.python_value(stored)
    assert back is not None
    assert back.tzinfo is UTC
    assert timedelta(0) <= instant - back < timedelta(milliseconds=1)


@given(INSTANTS, INSTANTS)
def test_stored_instants_have_the_order_of_the_instants(one: datetime, other: datetime) -> None:
    first, second = InstantField().db_value(one), InstantField().db_value(other)
    assert first is not None
    assert second is not None
    assert (one <= other) <= (first <= second)


@given(st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_a_duration_comes_back_cut_to_the_millisecond(duration: timedelta) -> None:
    back = DurationField().python_value(DurationField().db_value(duration))
    assert back is not None
    assert timedelta(0) <= duration - back < timedelta(milliseconds=1)


@given(st.text(st.characters()))
def test_any_text_can_be_stored_and_harmless_text_is_unchanged(text: str) -> None:
    stored = WordsField().db_value(text)
    assert stored is not None
    stored.encode()
    assert "\0" not in stored
    if "\0" not in text and text.isprintable():
        assert stored == text


@given(st.lists(st.builds(Removed, st.text(), st.text(), st.integers(0, 2**62))).map(tuple))
def test_removed_rows_come_back(removed: tuple[Removed, ...]) -> None:
    assert RemovedField().python_value(RemovedField().db_value(removed)) == removed


def test_no_failure_repeats_a_password_that_the_driver_repeats() -> None:
    url = parse_url("postgresql://me:hunter2@db/jobs?sslpassword=tr0ub4dor")
    for failure in Failure:
        message = store_error(url, failure, "password 'hunter2'\n  and 'tr0ub4dor'").message
        assert "hunter2" not in message
        assert "tr0ub4dor" not in message
        assert message.endswith(": password *** and '***'")
