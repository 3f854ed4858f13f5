"""Being told to stop: the first signal asks, the second one ends the process; a file asks too.

SIGHUP asks to read the configuration again.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from cleanupctl.core.errors import ExitCode, InvalidValueError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from cleanupctl.core.errors import CleanupctlError

SIGNALS = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
STEP_SECONDS = 1.0
LAST_SECONDS = 20.0
"""So long after it is time to stop the process ends, whatever it waits for: all else has had its time."""

_NO_ANSWER = (
    f"it was time to stop, and for {LAST_SECONDS:g} seconds the job store or a history did not answer:"
    " ended without it; a job that was being executed is free when its lease ends"
)


def _looked_for(file: Path) -> bool:
    """Return whether there is a file. Raise InvalidValueError when that cannot be seen."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise InvalidValueError(f"nobody could be stopped by --stop-file {file}: {why}") from error
    return True


def _is_there(file: Path) -> bool:
    """Return whether there is a file; what cannot be seen any more may be there."""
    try:
        return _looked_for(file)
    except InvalidValueError:
        return True


class Stopping:
    """Handles SIGINT and SIGTERM, and SIGHUP if `reloads`, while the block lasts."""

    def __init__(
        self,
        stop_file: Path | None,
        complain: Callable[[CleanupctlError], None],
        *,
        reloads: bool = False,
        seconds: float | None = None,
    ) -> None:
        """Prepare; after `seconds` it is time to stop unasked. `complain` tells the last error."""
        self._file = stop_file
        if stop_file is not None:
            _looked_for(stop_file)
        self._reloads = reloads
        self._reload = False
        self._wake = threading.Event()
        self._asked = threading.Event()
        self._complain = complain
        self._seconds = seconds
        self._over = threading.Event()
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        if self._reloads:
            self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._ask_to_reload)
        with suppress(RuntimeError):
            # No thread can be started: signals are answered at the end of a batch all the same.
            threading.Thread(target=self._end_at_last, name="last resort", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            # At once, whatever the threads are doing: the databases roll back what was not committed.
            os._exit(SIGNALS[signal.Signals(number)])
        self._asked.set()
        self._wake.set()

    def _end_at_last(self) -> None:
        """End the process when the thread that should do it does not get on."""
        left = None if self._seconds is None else self._seconds + LAST_SECONDS
        while left is None or left > 0:
            if self._over.wait(STEP_SECONDS):
                return
            if left is None and self._asked.is_set():
                left = LAST_SECONDS
            elif left is not None:
                left = min(left, LAST_SECONDS) if self._asked.is_set() else left
                left -= STEP_SECONDS
        error = StoreError(_NO_ANSWER)
        with suppress(Exception):
            self._complain(error)
        os._exit(error.exit_code)

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
        if self._file is not None and _is_there(self._file):
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
