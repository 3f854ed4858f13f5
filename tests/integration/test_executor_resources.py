"""The executor on a host that has no more threads or memory: one sentence, and jobs that are free."""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.errors import CleanupFailedError
from cleanupctl.core.job import LogState
from cleanupctl.core.resources import exhausted
from tests.support.house import NIGHT, House, PretendHistory

if TYPE_CHECKING:
    from collections.abc import Callable

NO_THREAD = RuntimeError("can't start new thread")


@pytest.mark.parametrize("refused", ["job", "lease"])
def test_without_threads_the_job_is_given_back(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    one = house(NIGHT)
    one.schedule()
    start = threading.Thread.start

    def start_some(thread: threading.Thread) -> None:
        if thread.name.startswith(refused):
            raise NO_THREAD
        start(thread)

    with (
        monkeypatch.context() as changed,
        pytest.raises(CleanupFailedError, match="no thread can be started"),
    ):
        changed.setattr(threading.Thread, "start", start_some)
        one.run(PretendHistory(rows=10))
    (job,) = one.store.jobs()
    assert (job.lock_owner, job.retries) == (None, 3)
    history = PretendHistory(rows=10)
    one.run(history)
    assert history.rows == 0


def test_a_run_can_do_without_the_threads_that_only_watch(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = house(NIGHT)
    one.schedule()
    start = threading.Thread.start

    def start_some(thread: threading.Thread) -> None:
        if thread.name == "overdue":
            raise NO_THREAD
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    history = PretendHistory(rows=10)
    one.run(history)
    assert history.rows == 0


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.EMFILE, "Too many open files"), NO_THREAD], ids=repr
)
def test_what_there_is_no_more_of_fails_the_job_with_one_sentence(
    house: Callable[..., House], error: Any
) -> None:
    one = house(NIGHT)
    one.schedule()
    one.run(PretendHistory(error=error))
    (job,) = one.store.jobs()
    assert (job.lock_owner, job.retries) == (None, 2)
    assert one.log() == [(LogState.FAILED, "finished", 0)]
    told = exhausted(error)
    assert told is not None
    assert job.exception_message == f"pretend: {told.message}"


def test_other_failures_are_left_as_they_are() -> None:
    for error in (
        ValueError("memory"),
        OSError(errno.EACCES, "no"),
        OSError("plain"),
        RuntimeError("dictionary"),
    ):
        assert exhausted(error) is None
