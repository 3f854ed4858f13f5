"""Ending in time whatever is stuck: sessions are broken off, and what the job store is asked has a limit."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from cleanupctl.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from cleanupctl.core.run.cleaning import Session

T = TypeVar("T")

GRACE_SECONDS = 5.0
"""How long a batch may still take once it is time to stop, beyond the time that batches are sized to take."""
LOOK_SECONDS = 0.5
"""How often it is looked at whether it is time to stop."""


class Overdue:
    """For how long it has been time to stop; belongs to one thread."""

    def __init__(
        self, over: Callable[[], object], monotonic: Callable[[], float], batch_time: timedelta
    ) -> None:
        self._over = over
        self._monotonic = monotonic
        self._grace = GRACE_SECONDS + batch_time.total_seconds()
        self._since: float | None = None

    def by(self, seconds: float = 0.0) -> bool:
        """Return whether the time that is left for the last batch has been over for so many seconds."""
        if not self._over():
            return False
        now = self._monotonic()
        if self._since is None:
            self._since = now
        return now >= self._since + self._grace + seconds


@contextmanager
def broken_off(session: Session, overdue: Overdue) -> Iterator[Callable[[], bool]]:
    """Break a session off when it is overdue; provide the question whether that was done."""
    ended, done = threading.Event(), threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            if overdue.by():
                done.set()
                session.break_off("it was time to stop")

    with suppress(RuntimeError):
        # Where no more threads can be started, it has to end by itself.
        threading.Thread(target=watch, name="overdue", daemon=True).start()
    try:
        yield done.is_set
    finally:
        ended.set()


def within(seconds: float, act: Callable[[], T], what: str) -> T:
    """Return what `act` returns, or raise what it raises. Raise StoreError when that takes too long."""
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(act())
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    thread = threading.Thread(target=work, name=what, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # No thread can be started: it takes as long as it takes.
        return act()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise StoreError(f"the job store did not answer for {seconds:g} seconds: {what}")
    return results[0]
