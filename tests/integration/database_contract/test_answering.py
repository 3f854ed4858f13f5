"""A session as other threads see it: whether it gets on, how it is broken off; its server's clock."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryUnreachableError
from tests.support.contract import covers
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.contract import Place

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def _long(place: Place) -> str:
    """Return a statement that takes longer than any test."""
    if place.is_file:
        return ENDLESS
    return "SELECT pg_sleep(60)" if place.product == "postgresql" else "SELECT sleep(60)"


@covers("answers", "break_off", "broken_off", "link")
def test_a_session_gets_on_until_it_is_broken_off_under_what_it_waits_for(place: Place) -> None:
    ended = threading.Event()
    with place.another() as session:
        assert session.answers()
        assert session.broken_off is None

        def break_off() -> None:
            # Again and again, as a run does it: the statement may not have begun yet.
            while not ended.wait(0.2):
                session.break_off("it was time")

        breaking = threading.Thread(target=break_off)
        breaking.start()
        with pytest.raises(HistoryUnreachableError, match="it was time"):
            while True:
                # MySQL's sleep only ends earlier when it is interrupted.
                session.query(_long(place))
        ended.set()
        breaking.join()
        assert session.broken_off == "it was time"
        assert session.link.waited() == 0
    # The one next to it is not touched.
    place.database.query("SELECT 1")


@covers("is_at_work", "cancel")
def test_a_server_knows_whether_it_works_for_a_session(place: Place) -> None:
    if place.is_file:
        assert place.database.is_at_work()
        place.database.cancel()
        return
    with place.another() as session:
        assert not session.is_at_work()
        waiting = threading.Thread(target=lambda: _ignoring_errors(session, _long(place)))
        waiting.start()
        wait_until(session.is_at_work)
        session.cancel()
        waiting.join()
        assert not session.is_at_work()
        assert session.query("SELECT 1") == [(1,)]


def _ignoring_errors(session: object, sql: str) -> None:
    from contextlib import suppress

    with suppress(Exception):
        session.query(sql)  # type: ignore[attr-defined]


@covers("server_time")
def test_a_server_has_a_clock_and_a_file_has_none(place: Place) -> None:
    found = place.database.server_time()
    if place.is_file:
        assert found is None
        return
    assert found is not None
    assert abs(found - datetime.now(UTC)) < timedelta(minutes=1)


@covers("unlimited", "in_between")
def test_what_takes_long_may_take_it_when_that_is_asked_for(place: Place) -> None:
    database = place.database
    with database.unlimited():
        assert database.query("SELECT 1") == [(1,)]
        if place.product == "postgresql":
            assert database.query("SHOW statement_timeout") == [("0",)]
    if place.product == "postgresql":
        assert database.query("SHOW statement_timeout") == [("1min",)]
    assert list(database.in_between()) == []
