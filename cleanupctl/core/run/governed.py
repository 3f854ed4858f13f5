"""Working in an open history, holding back between its batches as configured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import BatchCommitted, Noticed
from cleanupctl.core.run.clocks import counted
from cleanupctl.core.run.throttle import ThrottleContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta

    from cleanupctl.core.run.cleaning import Event, Limits, Session
    from cleanupctl.core.run.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Pause:
    """It was held back for so many seconds."""

    reason: str
    """`duty-cycle`, `rows-per-second`, `load` or `replica-lag`."""
    seconds: float


def governed(
    name: str,
    session: Session,
    clock: Callable[[], datetime],
    limits: Limits,
    throttle: Throttle,
    max_clock_skew: timedelta,
) -> Iterator[Event | Pause]:
    """Do what there is to do by now (aware) in the history called `name`; yield what happens.

    The history's own clock counts too. Raise HistoryError when nothing can be done in the history.
    """
    place = ThrottleContext(name, session.replica_lag, session.keep_alive, limits.stop_reason)
    yield from (Pause(*one) for one in throttle.before_batch(place))
    now, notice = counted(session, clock(), max_clock_skew)
    if notice:
        yield Noticed(name, notice)
    for event in session.clean(now, limits):
        yield event
        if isinstance(event, BatchCommitted):
            # The batch is committed and the next one not begun: the place to hold back.
            pauses = throttle.after_batch(place, event.rows, event.seconds)
            yield from (Pause(*one) for one in pauses)
