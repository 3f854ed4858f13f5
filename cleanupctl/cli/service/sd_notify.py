"""Telling a service manager how we are: systemd's notification protocol, a datagram to a socket."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MICROSECONDS = 1_000_000


class ServiceManager:
    """Sends states to $NOTIFY_SOCKET; without one it does nothing (see sd_notify(3))."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET")
        self._monotonic = monotonic
        self._interval = _watchdog_interval()
        self._alive_at = monotonic()

    @property
    def watchdog_seconds(self) -> float | None:
        """How often to say that we are alive; None when nobody asked for it."""
        return self._interval if self._address else None

    def tell(self, *states: str) -> None:
        """Send states such as `READY=1`; a manager that does not listen is no reason to fail."""
        if not self._address:
            return
        # A leading @ means the abstract namespace, which has no file.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagram,
        ):
            datagram.sendto("\n".join(states).encode(), address)

    def alive(self) -> None:
        """Say so when it is time; called from where the work goes on, so that a hang is noticed."""
        if self._interval is None or self._monotonic() < self._alive_at + self._interval:
            return
        self._alive_at = self._monotonic()
        self.tell("WATCHDOG=1")


def _watchdog_interval() -> float | None:
    """Half of the interval in which the manager expects a keep-alive, if it expects one of this process."""
    microseconds, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (process and process != str(os.getpid())):
        return None
    return int(microseconds) / MICROSECONDS / 2
