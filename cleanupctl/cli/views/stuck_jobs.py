"""Telling of jobs that have no retries left: they wait for a person, who has to hear of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cleanupctl.core.job import Job


def stuck_sentence(jobs: Iterable[Job]) -> str | None:
    """Say which jobs wait for a person, and what brings them back; None when every job has retries."""
    stuck = [job.id[:8] for job in jobs if job.retries == 0]
    if not stuck:
        return None
    first = stuck[0]
    which = f"job {first} has" if len(stuck) == 1 else f"jobs {', '.join(stuck)} have"
    return (
        f"cleanup {which} no retries left: see `cleanupctl jobs show {first}`,"
        f" then `cleanupctl schedule` or `cleanupctl jobs retries {first} N`"
    )
