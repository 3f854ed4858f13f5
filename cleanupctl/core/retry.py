"""Trying again while the job store is unavailable: a restart of its server must not cost a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cleanupctl.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

ATTEMPTS = 10
PAUSE_SECONDS = 2.0


def retry(act: Callable[[], T], wait: Callable[[float], object], stopped: Callable[[], object]) -> T:
    """Return what `act` returns, tried up to ATTEMPTS times with pauses made by `wait` (in seconds).

    Raises the last StoreError, at once when `stopped` is true; other errors are not tried again.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return act()
        except StoreError:
            if stopped():
                raise
        wait(PAUSE_SECONDS)
    return act()
