"""Being told to stop: the first signal asks, the second one ends the process; a file asks too.

SIGHUP asks to read the configuration again.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Self

from cleanupctl.core.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

SIGNALS = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
STEP_SECONDS = 1.0


class Stopping:
    """Handles SIGINT and SIGTERM, and SIGHUP if `reloads`, while the block lasts."""

    def __init__(self, stop_file: Path | None, *, reloads: bool = False) -> None:
        self._file = stop_file
        self._reloads = reloads
        self._reload = False
        self._wake = threading.Event()
        self._asked = threading.Event()
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        if self._reloads:
            self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._ask_to_reload)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            # At once, whatever the threads are doing: the databases roll back what was not committed.
            os._exit(SIGNALS[signal.Signals(number)])
        self._asked.set()
        self._wake.set()

    def _ask_to_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reload = True
        self._wake.set()

    def take_reload(self) -> bool:
        """Whether SIGHUP came since the last call."""
        asked, self._reload = self._reload, False
        if asked and not self._asked.is_set():
            self._wake.clear()
        return asked

    def reason(self) -> str | None:
        """Say what asked to stop, or None."""
        if self._asked.is_set():
            return "signal"
        if self._file is not None and self._file.exists():
            return "stop-file"
        return None

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond being asked to stop; while a run goes on a SIGHUP does not shorten it."""
        self._sleep(self._asked, seconds)

    def wait_idle(self, seconds: float) -> None:
        """Sleep between runs: SIGHUP ends it too."""
        self._sleep(self._wake, seconds)

    def _sleep(self, event: threading.Event, seconds: float) -> None:
        left = seconds
        while left > 0 and not self.reason():
            step = min(left, STEP_SECONDS) if self._file is not None else left
            if event.wait(step):
                return
            left -= step
