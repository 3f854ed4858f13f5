"""What a run would delete: the expired rows of every history, counted without deleting any."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.errors import CleanupctlError, CleanupFailedError, HistoryUnreachableError
from cleanupctl.core.run.cleaning import Expired, Failed, Noticed
from cleanupctl.core.run.clocks import counted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cleanupctl.core.run.cleaning import History

NO_TIME = timedelta()


@dataclass(slots=True)
class Preview:
    """What was counted, in the order of the histories."""

    expired: list[Expired] = field(default_factory=list)
    failures: list[Failed] = field(default_factory=list)
    notices: list[Noticed] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Return the number of expired rows."""
        return sum(one.rows for one in self.expired)

    def add(self, event: Expired | Noticed | Failed) -> None:
        """Take one event in."""
        match event:
            case Expired():
                self.expired.append(event)
            case Failed():
                self.failures.append(event)
            case Noticed():
                self.notices.append(event)

    def refuse_failures(self) -> None:
        """Raise the one error that says what could not be looked at, if anything could not."""
        if not self.failures:
            return
        unreachable = all(isinstance(failure.error, HistoryUnreachableError) for failure in self.failures)
        sentence = "; ".join(f"{failure.history}: {failure.error}" for failure in self.failures)
        raise HistoryUnreachableError(sentence) if unreachable else CleanupFailedError(sentence)


def count_expired(
    histories: Iterable[History], now: datetime, max_clock_skew: timedelta, ahead: timedelta = NO_TIME
) -> Preview:
    """Count what has expired `now` (aware), or will have so much later, in all histories.

    The histories' own clocks count too. Failures are returned.
    """
    preview = Preview()
    for history in histories:
        try:
            with history.open() as session:
                counts, notice = counted(session, now, max_clock_skew)
                if notice:
                    preview.add(Noticed(history.name, notice))
                for event in session.preview(counts + ahead):
                    preview.add(event)
        except CleanupctlError as error:
            preview.failures.append(Failed(history.name, None, error))
    return preview
