"""What every job store does with its log: the same on each kind of database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.job import LogEntry, LogState, Removed
from tests.support.store import MINUTE, NOW, a_job, an_entry

if TYPE_CHECKING:
    from cleanupctl.core.store.jobstore import JobStore

JOB, OTHER = a_job(0), a_job(1)


def write(store: JobStore, *entries: LogEntry) -> None:
    for entry in entries:
        # Nobody holds this job, so only the entry is written.
        assert not store.finish(JOB, JOB, entry)


def test_an_entry_comes_back_as_it_was_written(store: JobStore) -> None:
    entry = an_entry(
        JOB,
        LogState.FAILED,
        due_date=NOW - MINUTE,
        process_id=2**31,
        duration=timedelta(hours=30, milliseconds=7),
        removed=(Removed("Auftrag 🧹", "ACT_HI_PROCINST", 2**40), Removed("audit", "event", 7, 0.25, 28.0)),
        stop_reason="window-end",
        exception_message="a\0b\udcff",
        exception_stacktrace="x" * 200_000,
    )
    write(store, entry)
    (stored,) = store.log()
    assert stored.id is not None
    assert stored.exception_message == "a\\x00b\\udcff"
    assert stored == an_entry(
        JOB,
        LogState.FAILED,
        due_date=NOW - MINUTE,
        process_id=2**31,
        duration=timedelta(hours=30, milliseconds=7),
        removed=entry.removed,
        stop_reason="window-end",
        exception_message=stored.exception_message,
        exception_stacktrace=entry.exception_stacktrace,
        id=stored.id,
    )


def test_an_entry_may_leave_out_what_it_does_not_know(store: JobStore) -> None:
    write(store, an_entry(JOB, due_date=None))
    (stored,) = store.log()
    assert (stored.due_date, stored.duration, stored.removed, stored.stop_reason) == (None, None, (), None)


def test_the_newest_entry_comes_first_also_within_a_millisecond(store: JobStore) -> None:
    times = [NOW, NOW - MINUTE, NOW, NOW + MINUTE]
    write(store, *(an_entry(JOB, time=time, stop_reason=str(i)) for i, time in enumerate(times)))
    assert [entry.stop_reason for entry in store.log()] == ["3", "2", "0", "1"]
    assert [entry.stop_reason for entry in store.log(limit=2)] == ["3", "2"]


def test_entries_are_filtered_by_job_time_and_state(store: JobStore) -> None:
    write(
        store,
        an_entry(JOB, LogState.FAILED, time=NOW),
        an_entry(JOB, LogState.SUCCESSFUL, time=NOW + MINUTE),
        an_entry(OTHER, LogState.FAILED, time=NOW + MINUTE),
        an_entry(OTHER, LogState.DELETED, time=NOW + 2 * MINUTE),
    )
    failed, deleted = LogState.FAILED, LogState.DELETED
    assert len(store.log(job_id=JOB.id)) == 2
    assert [entry.time for entry in store.log(since=NOW + MINUTE, until=NOW + 2 * MINUTE)] == [
        NOW + MINUTE
    ] * 2
    assert {entry.state for entry in store.log(states=[failed, deleted])} == {failed, deleted}
    assert len(store.log(states=[failed, deleted])) == 3
    assert [entry.job_id for entry in store.log(job_id=OTHER.id, states=[failed], since=NOW)] == [OTHER.id]
    assert store.log(states=[]) == []
    assert store.log(job_id="unknown") == []


def test_expired_entries_are_counted_without_deleting_them(store: JobStore) -> None:
    assert store.expired_log(NOW) == (0, None)
    write(store, *(an_entry(JOB, time=NOW - i * MINUTE) for i in range(4)))
    assert store.expired_log(NOW) == (3, NOW - 3 * MINUTE)
    assert store.log_count() == 4


def test_the_oldest_entries_are_deleted_first_and_never_more_than_the_limit(store: JobStore) -> None:
    write(store, *(an_entry(JOB, time=NOW - i * MINUTE) for i in range(6)))
    assert store.delete_log(NOW, 0) == 0
    assert store.delete_log(NOW, 2) == 2
    assert store.expired_log(NOW) == (3, NOW - 3 * MINUTE)
    assert store.delete_log(NOW, 3) == 3
    assert store.delete_log(NOW, 3) == 0
    assert [entry.time for entry in store.log()] == [NOW]


def test_the_limit_holds_among_entries_of_the_same_millisecond(store: JobStore) -> None:
    write(store, *(an_entry(JOB, time=NOW, stop_reason=str(i)) for i in range(5)))
    assert store.delete_log(NOW + MINUTE, 3) == 3
    assert [entry.stop_reason for entry in store.log()] == ["4", "3"]
    assert store.delete_log(NOW + MINUTE, 3) == 2
