"""Hosts that take part in the same job store with another configuration than this one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.job import LogState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cleanupctl.core.job import LogEntry
    from cleanupctl.core.jobs.schedule import Origin
    from cleanupctl.core.store.jobstore import JobStore

MEMORY = timedelta(days=7)
"""A host that has not executed anything for so long no longer counts."""

MOST_ENTRIES = 200
"""So many executions are looked at: on a busy store they are enough to meet every host."""


@dataclass(frozen=True, slots=True)
class Participant:
    """The last execution of another host."""

    host: str
    version: str
    configuration: str
    """Digest of the configuration it ran with."""
    time: datetime


def differing(entries: Iterable[LogEntry], origin: Origin) -> list[Participant]:
    """Return the other hosts whose last execution ran with another configuration, by name.

    `entries` come newest first, as the store returns them.
    """
    last: dict[str, LogEntry] = {}
    for entry in entries:
        last.setdefault(entry.host, entry)
    return [
        Participant(host, entry.version, entry.configuration, entry.time)
        for host, entry in sorted(last.items())
        if host != origin.host and entry.configuration != origin.configuration
    ]


def differing_participants(store: JobStore, origin: Origin, now: datetime) -> list[Participant]:
    """Look the executions of the last days up. `now` is aware. Raises StoreError."""
    executions = (LogState.FAILED, LogState.SUCCESSFUL)
    return differing(store.log(since=now - MEMORY, states=executions, limit=MOST_ENTRIES), origin)
