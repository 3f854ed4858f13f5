"""What keeps a network connection from being waited for without end: time-outs, and a way to break it off."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

CONNECT_SECONDS = 10
"""How long connecting may take, the log-in included."""

IDLE_SECONDS = 15
PROBE_SECONDS = 5
PROBES = 3
"""Tried so often when nothing arrives for so long; after half a minute it counts as lost."""
UNACKNOWLEDGED_SECONDS = IDLE_SECONDS + PROBES * PROBE_SECONDS
"""What was sent and nobody has received by then never arrives. Where something between takes everything, and
passes nothing on, only a limit for the answer helps: the drivers' connections have one."""


class Link:
    """One session's connection as other threads see it: since when it waits, and how to break it off."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._socket: socket.socket | None = None

    def attach(self, descriptor: int) -> None:
        """Make it possible to cut the connection of this file descriptor. Raise OSError."""
        # A descriptor of our own: the driver's may be closed, and opened as something else, at any moment.
        self._socket = socket.socket(fileno=os.dup(descriptor))

    def __enter__(self) -> None:
        """Begin to wait for an answer."""
        self._since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._since = None

    def waited(self) -> float:
        """Return for how many seconds an answer has been waited for; 0 when none is."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def cut(self) -> None:
        """End the connection under whoever waits on it; never raises."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Forget the connection."""
        if self._socket is not None:
            self._socket.close()


def keep_alive(connection: socket.socket) -> None:
    """Let the system find out that the other end of a TCP connection is away."""
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", IDLE_SECONDS),
        ("TCP_KEEPINTVL", PROBE_SECONDS),
        ("TCP_KEEPCNT", PROBES),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_SECONDS * 1000),
    ):
        # Not every system has every one.
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
