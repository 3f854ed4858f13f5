"""Leases on jobs under execution, renewed from a thread of their own."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleanupctl.core.job import Job
    from cleanupctl.core.store.jobstore import JobStore

RENEWALS_PER_LEASE = 12
"""Every five seconds of a minute: how soon an executor notices that its job was scheduled anew."""

SAFE_PART = 0.8
"""Without a renewal an executor stops at this part of the lease, before anybody else may begin."""

LAST_RENEWAL_SECONDS = 1.0
"""How long a renewal that is under way is waited for at the end."""


class Lease:
    """One job's lease; lost for good once the store says so, or cannot be asked in time."""

    def __init__(self, job: Job, monotonic: Callable[[], float], length: timedelta, since: float) -> None:
        self.job = job
        self._monotonic = monotonic
        self._length = length.total_seconds()
        self._renewed = since
        self._lost = threading.Event()

    def lost(self) -> bool:
        """Whether the job may belong to another process by now."""
        return self._lost.is_set() or self._monotonic() > self._renewed + SAFE_PART * self._length

    def give_up(self) -> None:
        """Count it as lost."""
        self._lost.set()

    def renew(self, store: JobStore) -> None:
        """Ask the store for another term; a store that does not answer is asked again next time."""
        asked = self._monotonic()
        try:
            held = store.renew(self.job, timedelta(seconds=self._length))
        except Exception:  # noqa: BLE001 - whatever keeps this renewal from being made, as want of memory
            return
        if held:
            self._renewed = asked
        else:
            self._lost.set()


@contextmanager
def kept(
    store: JobStore,
    job: Job,
    monotonic: Callable[[], float],
    length: timedelta,
    since: float,
    progresses: Callable[[], bool],
) -> Iterator[Lease]:
    """Renew the lease on `job` in the background until the block ends, as long as the work `progresses`.

    `since` is when the store was asked for it: the lease cannot have begun earlier.
    """
    lease = Lease(job, monotonic, length, since)
    ended = threading.Event()

    def renew_until_ended() -> None:
        while not ended.wait(length.total_seconds() / RENEWALS_PER_LEASE) and not lease.lost():
            if progresses():
                lease.renew(store)

    thread = threading.Thread(target=renew_until_ended, name=f"lease of {job.id}", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        ended.set()
        # One that waits for a store that does not answer changes nothing any more: the job will be another's.
        thread.join(LAST_RENEWAL_SECONDS)
