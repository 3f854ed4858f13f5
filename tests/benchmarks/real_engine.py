"""The real engine's own cleanup as a way of cleaning: its job executor at its best, in a Java process."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.datasets import NOW
from tests.benchmarks.measuring import Measurement
from tests.support.referee.driver import ENGINES, Driver, running_driver

if TYPE_CHECKING:
    from collections.abc import Iterator

_JAVA = ("-Xmx1g",)
_ANSWER_SECONDS = 1800.0
_WITHOUT_TIMES_TO_LIVE = {"job_log_ttl": None, "task_metrics_ttl": None, "batch_ttl": None, "batch_ttls": {}}
"""So that what goes is what has a removal time that is past, as with the other ways."""


@contextlib.contextmanager
def real_engine() -> Iterator[Driver | None]:
    """Start Java with the engine from Maven Central; None, and a line that says why, without them."""
    with contextlib.ExitStack() as stack:
        try:
            driver = stack.enter_context(
                running_driver(ENGINES["camunda"], "UTC", options=_JAVA, answer_seconds=_ANSWER_SECONDS)
            )
        except pytest.skip.Exception as reason:
            print(f"the real engine is left out: {reason}", file=sys.stderr)
            driver = None
        yield driver


def own_cleanup(driver: Driver, url: str, jobs: int) -> Measurement:
    """Clean immediately with batches of 500 and `jobs` jobs; starting the engine is not in the time."""
    with driver.engine(
        url, strategy="removalTimeBased", removal="end", parallelism=jobs, **_WITHOUT_TIMES_TO_LIVE
    ) as engine:
        done = engine("own_cleanup", now=NOW.isoformat())
    return Measurement(done["seconds"], notes={"executions": int(done["executions"])})
