"""Removal-time strategy: nothing goes of a batch operation that runs, whatever happened since the look."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.servers import connect as connect_database
from tests.support.camunda.histories import query, settings
from tests.support.camunda.inserting import ids, insert
from tests.support.cleaning import clean
from tests.support.servers import connect

if TYPE_CHECKING:
    import pytest

OLD, PAST = "2023-01-10 08:00:00", "2023-06-10 08:00:00"


def batch(url: str, name: str, end: str | None) -> None:
    """Add a batch operation whose removal time is past."""
    of = {"TYPE_": "set-job-retries", "SEED_JOB_DEF_ID_": f"{name}-seed"}
    insert(url, "ACT_HI_BATCH", name, START_TIME_=OLD, END_TIME_=end, REMOVAL_TIME_=PAST, **of)


def incident(url: str, name: str) -> None:
    """Add an incident of a batch operation."""
    of = {"INCIDENT_TYPE_": "failedJob", "INCIDENT_STATE_": 0, "JOB_DEF_ID_": f"{name}-seed"}
    insert(url, "ACT_HI_INCIDENT", name, CREATE_TIME_=OLD, REMOVAL_TIME_=PAST, **of)


def test_everything_of_a_running_batch_operation_stays(engine_url: str) -> None:
    for name, end in (("gone", OLD), ("kept", None)):
        batch(engine_url, name, end)
        incident(engine_url, name)
        insert(engine_url, "ACT_GE_BYTEARRAY", name, REV_=1, CREATE_TIME_=OLD, REMOVAL_TIME_=PAST)
        of = {"JOB_DEF_CONFIGURATION_": name, "JOB_EXCEPTION_STACK_ID_": name, "SEQUENCE_COUNTER_": 1}
        insert(engine_url, "ACT_HI_JOB_LOG", name, TIMESTAMP_=OLD, JOB_ID_="j", REMOVAL_TIME_=PAST, **of)
    clean(settings(engine_url))
    for table in ("ACT_HI_BATCH", "ACT_GE_BYTEARRAY", "ACT_HI_JOB_LOG", "ACT_HI_INCIDENT"):
        assert ids(engine_url, table) == {"kept"}, table


def test_incidents_that_come_with_their_running_batch_while_a_delete_waits_for_another_row_stay(
    engine_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident(engine_url, "held")
    opened = connect_database(parse_url(engine_url))
    opened.close()
    database: Any = type(opened)
    transact, starting = database.transact, list[threading.Thread]()
    with connect(engine_url, autocommit=False) as holder, holder.cursor() as holding:
        holding.execute("SELECT 1 FROM ACT_HI_INCIDENT WHERE ID_ = 'held' FOR UPDATE")

        def start_batch() -> None:
            time.sleep(0.3)
            incident(engine_url, "kept")
            batch(engine_url, "kept", None)
            holder.rollback()

        def meanwhile(self: Any, statements: Any, most_rows: int) -> Any:
            if not starting and statements[0].table.name.upper() == "ACT_HI_INCIDENT":
                starting.append(threading.Thread(target=start_batch))
                starting[0].start()
            return transact(self, statements, most_rows)

        monkeypatch.setattr(database, "transact", meanwhile)
        clean(settings(engine_url))
        starting[0].join()
    assert query(engine_url, "SELECT ID_ FROM ACT_HI_INCIDENT") == [("kept",)]
