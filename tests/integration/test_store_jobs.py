"""What every job store does with jobs: the same on each kind of database."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.errors import InvalidValueError, NotFoundError, StoreError
from cleanupctl.core.job import LogState
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from tests.support.cursors import database
from tests.support.store import MINUTE, NOW, Decision, a_job, add, an_entry, exactly

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cleanupctl.core.job import Job
    from cleanupctl.core.store.jobstore import JobStore

LEASE = timedelta(minutes=5)


def test_a_new_store_has_no_jobs(store: JobStore) -> None:
    assert store.jobs() == []
    assert store.next_due(NOW) is None
    assert store.acquire(NOW, "me", LEASE) is None
    assert not store.missing


def test_a_job_comes_back_as_it_was_stored(store: JobStore, database_url: str) -> None:
    job = a_job(
        number=7,
        due_date=None,
        retries=0,
        suspended=True,
        priority=-(2**40),
        immediately_due=True,
        empty_runs=9,
        exception_message="Übergröße 🧹 100% 'quoted' \\back",
        exception_stacktrace="line\n" * 30_000,
        lock_owner="host:1",
        lock_expiration=NOW,
        revision=12,
    )
    assert add(store, job) == [job]
    with open_store(parse_url(database_url)) as other:
        assert other.jobs() == [job]


def test_jobs_are_listed_by_number(store: JobStore) -> None:
    add(store, a_job(2), a_job(0), a_job(1))
    assert [job.number for job in store.jobs()] == [0, 1, 2]


def test_instants_are_the_same_from_every_zone_and_cut_to_milliseconds(store: JobStore) -> None:
    autumn = datetime(2026, 10, 25, 2, 30, 0, 123999, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)
    (job,) = add(store, a_job(due_date=autumn))
    assert job.due_date is not None
    assert job.due_date.isoformat() == "2026-10-25T01:30:00.123000+00:00"


def test_a_datetime_without_a_zone_is_refused(store: JobStore) -> None:
    with pytest.raises(TypeError):
        add(store, a_job(due_date=datetime(2026, 1, 1)))  # noqa: DTZ001
    assert store.jobs() == []


def test_text_that_databases_refuse_is_escaped_instead_of_losing_the_job(store: JobStore) -> None:
    (job,) = add(store, a_job(exception_message="no such file: a\0b\udcff"))
    assert job.exception_message == "no such file: a\\x00b\\udcff"


def test_reconfiguring_updates_creates_and_removes_in_one_go(store: JobStore) -> None:
    first, second = add(store, a_job(0), a_job(1))
    third = a_job(2)
    later = replace(first, due_date=NOW + MINUTE, empty_runs=4, lock_owner=None)
    stored = store.reconfigure(lambda _: Decision([later], [third], [second]), an_entry)
    assert stored == [replace(later, revision=2), third] == store.jobs()
    assert [(entry.job_id, entry.state) for entry in store.log(limit=2)] == [
        (third.id, LogState.CREATED),
        (second.id, LogState.DELETED),
    ]


def test_reconfiguring_shows_the_decision_what_is_stored(store: JobStore) -> None:
    stored = add(store, a_job(0), a_job(1))
    seen: list[object] = []
    store.reconfigure(lambda jobs: seen.extend(jobs) or Decision(), an_entry)  # type: ignore[func-returns-value]
    assert seen == stored


def test_a_decision_that_raises_changes_nothing(store: JobStore) -> None:
    before = add(store, a_job(0))

    def entry_for_the_second(job: object, state: LogState) -> object:
        raise LookupError

    with pytest.raises(LookupError):
        store.reconfigure(exactly(3), entry_for_the_second)  # type: ignore[arg-type]
    assert store.jobs() == before
    assert store.log_count() == 1
    assert len(store.reconfigure(exactly(2), an_entry)) == 2


@pytest.mark.parametrize(
    "waiting",
    [
        {"due_date": NOW + timedelta(milliseconds=1)},
        {"due_date": None},
        {"suspended": True},
        {"retries": 0},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_job_that_is_not_due_is_not_acquired(store: JobStore, waiting: dict[str, object]) -> None:
    add(store, a_job(**waiting))
    assert store.acquire(NOW, "me", LEASE) is None


def test_a_job_due_this_millisecond_is_acquired(store: JobStore) -> None:
    (job,) = add(store, a_job())
    acquired = store.acquire(NOW, "me", LEASE)
    assert acquired is not None
    assert acquired == store.job(job.id)
    assert (acquired.id, acquired.lock_owner, acquired.revision) == (job.id, "me", 2)


def test_the_highest_priority_comes_first_then_the_earliest_due_date(store: JobStore) -> None:
    late, early, urgent = a_job(0), a_job(1, due_date=NOW - MINUTE), a_job(2, priority=5)
    add(store, late, early, urgent)
    order = [store.acquire(NOW, "me", LEASE) for _ in range(4)]
    assert [job and job.id for job in order] == [urgent.id, early.id, late.id, None]


def test_excluded_jobs_are_passed_over(store: JobStore) -> None:
    first, second = add(store, a_job(0, priority=1), a_job(1))
    acquired = store.acquire(NOW, "me", LEASE, excluding=[first.id])
    assert acquired is not None
    assert acquired.id == second.id
    assert store.acquire(NOW, "me", LEASE, excluding={first.id}) is None


def test_the_lease_is_measured_by_the_clock_of_the_store(store: JobStore) -> None:
    long_ago = datetime(2001, 1, 1, tzinfo=NOW.tzinfo)
    add(store, a_job(due_date=long_ago))
    acquired = store.acquire(long_ago, "me", LEASE)
    assert acquired is not None
    assert acquired.lock_expiration is not None
    remaining = acquired.lock_expiration - datetime.now(NOW.tzinfo)
    assert LEASE - timedelta(seconds=20) < remaining <= LEASE + timedelta(seconds=1)
    in_the_far_future = datetime(2199, 1, 1, tzinfo=NOW.tzinfo)
    assert store.acquire(in_the_far_future, "other", LEASE) is None


def test_a_job_finished_by_another_between_being_seen_and_taken_is_left(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, a_job())
    see = store._first_due

    def see_and_be_late(now: datetime, excluding: Collection[str]) -> Job | None:
        seen = see(now, excluding)
        monkeypatch.undo()
        other = store.acquire(now, "faster", LEASE)
        assert other is not None
        assert store.finish(other, replace(other, due_date=NOW + MINUTE), an_entry(other))
        return seen

    monkeypatch.setattr(store, "_first_due", see_and_be_late)
    assert store.acquire(NOW, "late", LEASE) is None


def test_a_lease_that_ends_later_than_any_can_is_over(store: JobStore) -> None:
    # Given before a clock went back, by hours or days.
    add(store, a_job())
    assert store.acquire(NOW, "gone", timedelta(hours=2)) is not None
    assert store.next_due(NOW) is not None
    assert store.next_due(NOW) <= NOW  # type: ignore[operator]
    job = store.acquire(NOW, "me", LEASE)
    assert job is not None
    assert job.lock_owner == "me"
    assert store.acquire(NOW, "another", LEASE) is None


def test_a_store_on_a_server_has_a_clock_of_its_own(store: JobStore, database_url: str) -> None:
    now = store.now()
    if parse_url(database_url).server.is_file:
        assert now is None
        return
    assert now is not None
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_lease_renewed_between_being_seen_as_expired_and_taken_is_left(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, a_job())
    holder = store.acquire(NOW, "holder", timedelta(0))
    assert holder is not None
    see = store._first_due

    def see_and_be_late(now: datetime, excluding: Collection[str]) -> Job | None:
        seen = see(now, excluding)
        monkeypatch.undo()
        assert store.renew(holder, LEASE)
        return seen

    monkeypatch.setattr(store, "_first_due", see_and_be_late)
    assert store.acquire(NOW, "other", LEASE) is None
    assert store.finish(holder, holder, an_entry(holder))


IGNORE = {
    "sqlite": "CREATE TRIGGER none BEFORE UPDATE ON cleanupctl_job BEGIN SELECT RAISE(IGNORE); END",
    "postgresql": "CREATE RULE none AS ON UPDATE TO cleanupctl_job DO INSTEAD NOTHING",
    "mysql": "ALTER TABLE cleanupctl_job MODIFY revision DOUBLE",
}


def test_a_store_that_shows_a_job_and_does_not_let_it_be_taken_says_so(
    store: JobStore, database_url: str
) -> None:
    (job,) = add(store, a_job())
    kind = database_url.partition(":")[0]
    with database(database_url) as cursor:
        cursor.execute(IGNORE[kind])
        if kind == "mysql":
            # It is read as a whole number, and no row has that.
            cursor.execute("UPDATE cleanupctl_job SET revision = 1.5")
    with pytest.raises(StoreError, match=f"shows the job {job.id} as free.*replica"):
        store.acquire(NOW, "me", LEASE)
    assert store.acquire(NOW, "me", LEASE, excluding={job.id}) is None


def test_only_the_owner_renews_its_lease(store: JobStore) -> None:
    add(store, a_job())
    job = store.acquire(NOW, "me", LEASE)
    assert job is not None
    assert not store.renew(replace(job, lock_owner="ME"), LEASE)
    assert store.renew(job, LEASE)


def test_a_renewal_during_scheduling_waits_and_is_refused(store: JobStore) -> None:
    add(store, a_job())
    job = store.acquire(NOW, "me", LEASE)
    assert job is not None
    results: list[bool] = []
    renewal = threading.Thread(target=lambda: results.append(store.renew(job, LEASE)))

    def decide(jobs: Sequence[Job]) -> Decision:
        renewal.start()
        renewal.join(0.3)
        assert renewal.is_alive()
        return Decision(updated=jobs)

    (scheduled,) = store.reconfigure(decide, an_entry)
    renewal.join()
    assert results == [False]
    assert store.jobs() == [scheduled]


def test_an_expired_lease_passes_to_another_owner_and_fences_the_first_off(store: JobStore) -> None:
    add(store, a_job())
    first = store.acquire(NOW, "first", timedelta(0))
    second = store.acquire(NOW, "second", LEASE)
    assert first is not None
    assert second is not None
    assert second.id == first.id
    assert not store.renew(first, LEASE)
    assert not store.release(first)
    assert not store.finish(first, replace(first, retries=1), an_entry(first, stop_reason="late"))
    assert store.jobs() == [second]
    assert store.log(limit=1)[0].stop_reason == "late"
    assert store.finish(second, replace(second, retries=2), an_entry(second))


def test_the_same_owner_cannot_finish_an_earlier_lease_of_its_own(store: JobStore) -> None:
    add(store, a_job())
    first = store.acquire(NOW, "me", timedelta(0))
    second = store.acquire(NOW, "me", LEASE)
    assert first is not None
    assert not store.finish(first, first, an_entry(first))
    assert store.jobs() == [second]


def test_renewing_extends_the_lease_however_often_and_keeps_it_valid(store: JobStore) -> None:
    add(store, a_job())
    job = store.acquire(NOW, "me", MINUTE)
    assert job is not None
    assert all(store.renew(job, LEASE) for _ in range(20))
    renewed = store.job(job.id)
    assert renewed.lock_expiration is not None
    assert job.lock_expiration is not None
    assert renewed.lock_expiration - job.lock_expiration > timedelta(minutes=3)
    assert store.finish(job, job, an_entry(job))


def test_a_released_job_is_as_before_and_can_be_acquired_again(store: JobStore) -> None:
    (before,) = add(store, a_job(empty_runs=3, exception_message="old"))
    job = store.acquire(NOW, "me", LEASE)
    assert job is not None
    assert store.release(job)
    assert store.jobs() == [replace(before, revision=3)]
    assert not store.release(job)
    assert store.acquire(NOW, "other", LEASE) is not None


def test_finishing_stores_the_outcome_and_logs_it(store: JobStore) -> None:
    add(store, a_job(priority=4))
    job = store.acquire(NOW, "me", LEASE)
    assert job is not None
    after = replace(
        job,
        due_date=NOW + MINUTE,
        suspended=True,
        retries=2,
        empty_runs=6,
        exception_message="broken",
        exception_stacktrace="trace",
        priority=99,
    )
    assert store.finish(job, after, an_entry(job, LogState.FAILED))
    stored = replace(after, lock_owner=None, lock_expiration=None, revision=3, priority=4)
    assert store.jobs() == [stored]
    assert [entry.state for entry in store.log()] == [LogState.FAILED, LogState.CREATED]
    assert not store.finish(job, after, an_entry(job))


def test_scheduling_during_an_execution_wins_over_its_result(store: JobStore) -> None:
    add(store, a_job())
    job = store.acquire(NOW, "me", LEASE)
    assert job is not None
    store.reconfigure(lambda jobs: Decision([replace(jobs[0], due_date=None)]), an_entry)
    assert not store.renew(job, LEASE)
    assert not store.finish(job, job, an_entry(job))
    assert store.jobs()[0].due_date is None


def test_a_job_removed_during_its_execution_still_gets_its_log_entry(store: JobStore) -> None:
    add(store, a_job())
    job = store.acquire(NOW, "me", LEASE)
    assert job is not None
    store.reconfigure(exactly(0), an_entry)
    assert not store.finish(job, job, an_entry(job, stop_reason="finished"))
    assert store.log(limit=1)[0].stop_reason == "finished"
    assert store.jobs() == []


def test_a_job_suspended_during_its_execution_ends_it_and_stays_suspended(store: JobStore) -> None:
    add(store, a_job())
    job = store.acquire(NOW, "me", LEASE)
    assert job is not None
    store.suspend([job.id], suspended=True)
    assert store.renew(job, LEASE)
    assert store.finish(job, replace(job, due_date=NOW + MINUTE), an_entry(job))
    assert store.jobs()[0].suspended
    assert store.jobs()[0].due_date == NOW + MINUTE


@pytest.mark.parametrize("chosen", [0, 5])
def test_retries_set_during_an_execution_stay(store: JobStore, chosen: int) -> None:
    add(store, a_job())
    job = store.acquire(NOW, "me", LEASE)
    assert job is not None
    store.set_retries(job.id, chosen)
    assert store.finish(job, replace(job, retries=2), an_entry(job, LogState.FAILED))
    assert store.jobs()[0].retries == chosen


def test_suspending_all_and_activating_one(store: JobStore) -> None:
    first, second = add(store, a_job(0), a_job(1))
    assert store.suspend(None, suspended=True) == [
        replace(first, suspended=True),
        replace(second, suspended=True),
    ]
    assert store.suspend([second.id], suspended=False) == [second]
    assert [job.suspended for job in store.jobs()] == [True, False]


def test_suspending_with_one_unknown_id_suspends_none(store: JobStore) -> None:
    (job,) = add(store, a_job())
    with pytest.raises(NotFoundError, match="nowhere"):
        store.suspend([job.id, "nowhere"], suspended=True)
    assert store.jobs() == [job]


def test_suspending_all_of_no_jobs_is_fine(store: JobStore) -> None:
    assert store.suspend(None, suspended=True) == []


def test_retries_are_set_by_prefix_and_never_negative(store: JobStore) -> None:
    (job,) = add(store, a_job(retries=0))
    assert store.set_retries(job.id[:8], 4) == replace(job, retries=4)
    with pytest.raises(InvalidValueError, match="-1"):
        store.set_retries(job.id, -1)
    assert store.jobs() == [replace(job, retries=4)]


def test_a_job_is_found_by_its_id_or_an_unambiguous_prefix(store: JobStore) -> None:
    first = a_job(0, id="aaaa1111-0000-11f1-8000-000000000000")
    second = a_job(1, id="aaaa2222-0000-11f1-8000-000000000000")
    add(store, first, second)
    assert store.job(first.id) == first
    assert store.job("AAAA2") == second
    with pytest.raises(InvalidValueError) as ambiguous:
        store.job("aaaa")
    assert first.id in ambiguous.value.message
    assert second.id in ambiguous.value.message


@pytest.mark.parametrize("unknown", ["b", "", "%", "aaaa1111-0000-11f1-8000-0000000000000"])
def test_an_unknown_id_is_not_found(store: JobStore, unknown: str) -> None:
    add(store, a_job(id="aaaa1111-0000-11f1-8000-000000000000"))
    with pytest.raises(NotFoundError):
        store.job(unknown)


def test_next_due_is_the_earliest_of_the_runnable_jobs(store: JobStore) -> None:
    add(
        store,
        a_job(0, due_date=NOW + 3 * MINUTE),
        a_job(1, due_date=NOW + 2 * MINUTE),
        a_job(2, due_date=NOW, suspended=True),
        a_job(3, due_date=NOW, retries=0),
        a_job(4, due_date=None),
        a_job(5, due_date=NOW, lock_owner="me", lock_expiration=datetime.now(NOW.tzinfo) + 9 * MINUTE),
    )
    assert store.next_due(NOW) == NOW + 2 * MINUTE


@pytest.mark.parametrize("minutes", [-10, 0, 10])
def test_next_due_of_a_job_under_execution_is_the_end_of_its_lease_whatever_this_hosts_clock(
    store: JobStore, minutes: int
) -> None:
    here = NOW + minutes * MINUTE
    add(store, a_job(due_date=NOW - 60 * MINUTE))
    assert store.acquire(NOW, "me", LEASE)
    due = store.next_due(here)
    assert due is not None
    assert LEASE - timedelta(seconds=20) < due - here <= LEASE


def test_another_thread_renews_and_leaves_no_connection_behind(store: JobStore) -> None:
    add(store, a_job())
    job = store.acquire(NOW, "me", LEASE)
    assert job is not None
    results: list[object] = []

    def renew() -> None:
        results.append(store.renew(job, LEASE))
        results.append(store._session.database.is_closed())

    thread = threading.Thread(target=renew)
    thread.start()
    thread.join()
    assert results == [True, True]
    assert store.finish(job, job, an_entry(job))


def test_a_store_can_be_used_again_after_it_was_closed(store: JobStore) -> None:
    stored = add(store, a_job())
    store.close()
    store.close()
    assert store.jobs() == stored


def test_reading_a_store_that_does_not_exist_creates_nothing(database_url: str) -> None:
    url = parse_url(database_url)
    for _ in range(2):
        with open_store(url, create=False) as store:
            assert store.missing
            assert store.url == url
            assert store.jobs() == []
            assert store.log() == []


def test_two_stores_can_be_open_in_one_process(store: JobStore) -> None:
    with open_store(parse_url("sqlite:///:memory:")) as other:
        add(other, a_job())
        assert store.jobs() == []
        assert len(other.jobs()) == 1
