"""Which moment counts: the earlier of this host's clock and the other one for what has expired.

A clock that is ahead makes rows seem older than they are. A run reads clocks once, and counts on from there
by one that does not jump.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.times import span

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Session

NOTICED = timedelta(minutes=1)
"""Clocks that are further apart are worth a notice: nothing keeps them together."""


@dataclass(frozen=True, slots=True)
class Skew:
    """How far this host's clock is ahead of another one; negative where it is behind."""

    ahead: timedelta
    whose: str

    @property
    def apart(self) -> timedelta:
        """How far the clocks are apart."""
        return abs(self.ahead)

    def __str__(self) -> str:
        direction = "ahead of" if self.ahead > timedelta() else "behind"
        return f"the clock of this host is {span(self.apart)} {direction} that of {self.whose}"


def skew(host: datetime, other: datetime | None, whose: str) -> Skew | None:
    """Compare this host's clock with another one (both aware); None where that is none of its own."""
    return None if other is None else Skew(host - other, whose)


def refuse(found: Skew | None, most: timedelta) -> None:
    """Raise HistoryError when clocks are too far apart: one is wrong, and nobody knows which."""
    if found is not None and found.apart > most:
        raise HistoryError(
            f"{found}: nothing is deleted while they are more than {span(most)} apart, since one of them is"
            " wrong; set it right, as by NTP, or raise max_clock_skew"
        )


def counted(
    session: Session, host: datetime, most: timedelta, *, whose: str = "its database"
) -> tuple[datetime, str | None]:
    """Return the moment that counts in an open history, by `host` (aware), and a notice.

    Raise HistoryError when the clocks are more than `most` apart.
    """
    other = session.server_time()
    found = skew(host, other, whose)
    refuse(found, most)
    if found is None or other is None:
        return host, None
    notice = f"{found}; the earlier of the two counts" if found.apart > NOTICED else None
    return min(host, other), notice


class RunClock:
    """The time of one run, by this host and by the job store where that has a clock of its own."""

    def __init__(self, host: datetime, store: datetime | None, monotonic: Callable[[], float]) -> None:
        """Begin with what both clocks say now (aware)."""
        self.skew = skew(host, store, "the job store")
        self._jobs = host if store is None else store
        self._earlier = min(host, self._jobs)
        self._monotonic = monotonic
        self._began = monotonic()

    def jobs(self) -> datetime:
        """Return the time that jobs and windows go by: all hosts of one job store have the same."""
        return self._jobs + self._passed()

    def earlier(self) -> datetime:
        """Return the time that counts for what has expired, by these clocks."""
        return self._earlier + self._passed()

    def _passed(self) -> timedelta:
        return timedelta(seconds=self._monotonic() - self._began)
