"""What a run takes from this process and this host: clocks, signals, load."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

from cleanupctl.core.run.limits import RunEnvironment

if TYPE_CHECKING:
    from cleanupctl.cli.context import Context
    from cleanupctl.cli.service.signals import Stopping


def run_environment(context: Context, stopping: Stopping) -> RunEnvironment:
    """Return the environment of this process, which `stopping` asks to stop."""
    return RunEnvironment(
        clock=context.now,
        monotonic=_steady,
        asked_to_stop=stopping.reason,
        wait=stopping.wait,
        jitter=random.random,
        load=lambda: os.getloadavg()[0],
    )


def _steady() -> float:
    """Read a clock that never jumps, in seconds; it also counts while the host sleeps, and leases do so."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)
