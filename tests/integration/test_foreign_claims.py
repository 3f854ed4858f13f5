"""A lock by which workers share tables out, held by others: waited for neither without end nor in silence."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.run.cleaning import Failed, Noticed
from cleanupctl.core.settings import TableSettings
from cleanupctl.history.cleaning import phases
from tests.support.cleaning import clean
from tests.support.cursors import database
from tests.support.table_histories import AUDIT, fill, ids, settings

if TYPE_CHECKING:
    import pytest

    from tests.support.servers import DatabaseServer


def _held(cursor: Any) -> None:
    cursor.execute("SELECT 'audit_event'::regclass::oid")
    space = zlib.crc32(b"cleanupctl") & 0x7FFFFFFF
    cursor.execute("SELECT pg_advisory_lock(%s, %s)", (space, cursor.fetchone()[0]))


def test_a_table_that_a_stranger_has_claimed_fails_and_the_others_are_cleaned(postgresql_url: str) -> None:
    fill(postgresql_url, 100)
    with database(postgresql_url) as cursor:
        cursor.execute("CREATE TABLE other AS SELECT * FROM audit_event")
        _held(cursor)
        events = clean(settings(postgresql_url, AUDIT, TableSettings("other", "created_at", ttl=90)))
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.table == "audit_event"
    assert isinstance(failed.error, HistoryError)
    assert "is none of them: end it (SELECT pg_catalog.pg_terminate_backend(" in failed.error.message
    assert ids(postgresql_url) == list(range(100))
    assert ids(postgresql_url, "other") == list(range(90))


def test_a_worker_of_another_process_is_waited_for_and_told_and_left_alone_in_the_end(
    postgresql_url: str, postgresql_server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "LONGEST_WAIT_SECONDS", 60.0)
    fill(postgresql_url, 100)
    with database(f"{postgresql_url}?application_name=cleanupctl") as cursor:
        _held(cursor)
        events = clean(settings(postgresql_url, AUDIT))
    said = [event.message for event in events if isinstance(event, Noticed)]
    assert said[0].startswith("waiting for process ")
    assert said[1].startswith("audit_event is left to process ")
    assert not [event for event in events if isinstance(event, Failed)]
    assert ids(postgresql_url) == list(range(100))
