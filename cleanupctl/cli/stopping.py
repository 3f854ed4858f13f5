"""Being told to stop: the first signal asks, the second one ends the process; a file asks too."""

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
    """Handles SIGINT and SIGTERM while the block lasts."""

    def __init__(self, stop_file: Path | None) -> None:
        self._file = stop_file
        self._asked = threading.Event()
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            # At once, whatever the threads are doing: the databases roll back what was not committed.
            os._exit(SIGNALS[signal.Signals(number)])
        self._asked.set()

    def reason(self) -> str | None:
        """Say what asked to stop, or None."""
        if self._asked.is_set():
            return "signal"
        if self._file is not None and self._file.exists():
            return "stop-file"
        return None

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond being asked to stop."""
        left = seconds
        while left > 0 and not self.reason():
            step = min(left, STEP_SECONDS) if self._file is not None else left
            self._asked.wait(step)
            left -= step
