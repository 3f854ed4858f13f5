"""Workers that do not get on: their leases are not renewed, and a run ends without them when it has to."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryUnreachableError, StoreError
from cleanupctl.core.job import LogState
from cleanupctl.core.run import execution, executor, overdue
from tests.support.house import ALL_DAY, NIGHT, House, PretendHistory
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Event, Limits


@dataclass
class Stuck(PretendHistory):
    """Deletes some rows, and then waits for what never comes: until it is broken off, if that helps."""

    ends_when_broken_off: bool = True
    ended: threading.Event = field(default_factory=threading.Event)
    stuck: Callable[[], None] = lambda: None

    def break_off(self, why: str) -> None:
        super().break_off(why)
        if self.ends_when_broken_off:
            self.ended.set()

    def clean(self, now: datetime, limits: Limits) -> Iterator[Event]:
        batches = super().clean(now, limits)
        yield next(batches)
        self.stuck()
        self.ended.wait(60)
        if self.broken_off:
            raise HistoryUnreachableError("the session was broken off")
        yield from batches


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overdue, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(overdue, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(executor, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(execution, "RECORD_SECONDS", 1.0)


def asked(one: House) -> Callable[[], None]:
    """Return what asks a run to stop, and lets the time pass that it has for that."""

    def ask() -> None:
        one.asked = "signal"

        def pass_time() -> None:
            # The first look only notes that it is time.
            wait_until(lambda: one.clock.pass_(timedelta(seconds=1)) or one.log() != [])

        threading.Thread(target=pass_time, daemon=True).start()

    return ask


def test_a_stuck_session_is_broken_off_and_the_job_goes_on_where_it_was(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()
    history = Stuck(rows=30, stuck=asked(one))
    one.run(history)
    (job,) = one.store.jobs()
    assert history.broken_off
    assert (job.lock_owner, job.suspended, job.retries) == (None, False, 3)
    assert one.log() == [(LogState.SUCCESSFUL, "signal", 10)]
    assert job.due_date is not None


def test_a_worker_that_cannot_be_broken_off_is_left_behind_and_its_job_is_free(
    house: Callable[..., House],
) -> None:
    one = house(NIGHT)
    one.schedule()
    history = Stuck(rows=30, ends_when_broken_off=False, stuck=asked(one))
    one.run(history)
    (job,) = one.store.jobs()
    assert (job.lock_owner, job.retries) == (None, 3)
    assert one.log() == [(LogState.SUCCESSFUL, "signal", 10)]
    # Back at last, it neither deletes nor records anything more.
    history.broken_off.clear()
    history.ended.set()
    wait_until(lambda: not any(one.name.startswith("job ") for one in threading.enumerate()))
    assert history.rows == 20
    assert len(one.log()) == 1


def test_a_run_whose_store_does_not_answer_in_the_end_says_so(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = house(NIGHT)
    one.schedule()
    never = threading.Event()
    monkeypatch.setattr(one.store, "finish", lambda *_: never.wait(20))
    history = Stuck(rows=30, ends_when_broken_off=False)

    def ask() -> None:
        one.asked = "signal"
        threading.Thread(target=_pass_minutes, args=(one, never), daemon=True).start()

    history.stuck = ask
    with pytest.raises(StoreError, match="free again when its lease ends"):
        one.run(history)
    never.set()
    history.ended.set()


def _pass_minutes(one: House, ended: threading.Event) -> None:
    while not ended.wait(0.05):
        one.clock.pass_(timedelta(seconds=1))


@pytest.mark.parametrize("gets_on", [True, False])
def test_a_lease_is_renewed_only_while_its_worker_gets_on(house: Callable[..., House], gets_on: bool) -> None:
    one = house(ALL_DAY, lease=timedelta(seconds=2))
    one.schedule()
    renewed: list[bool] = []
    renew = one.store.renew
    one.store.renew = lambda *arguments: renewed.append(True) or renew(*arguments)  # type: ignore[method-assign]
    asks: list[bool] = []
    history = PretendHistory(rows=10, gets_on=lambda: bool(asks.append(gets_on)) or gets_on)
    history.before_batch = lambda: wait_until(lambda: len(asks) > 1)
    one.run(history)
    assert bool(renewed) is gets_on
