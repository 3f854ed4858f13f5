"""A full or read-only disk: one clear sentence, nothing lost, and the next run finishes."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.requirement import find
from tests.support.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISK_BYTES = 4_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of a few megabytes; that takes root."""
    mount, unmount = find("mount"), find("umount")
    if os.geteuid() != 0 or mount is None or unmount is None:
        pytest.skip("only root can mount the small disk of this test")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the small disk of this test cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([unmount, str(folder)], check=True)


def a_site(url: str, store: str, folder: Path) -> Site:
    """Make a site with enough rows to go, in batches of the default size."""
    site = Site(url, store, folder)
    site.hurry()
    site.fill()
    return site


def fill_disk(folder: Path) -> Path:
    """Leave not one free block."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return ballast


def read_only(folder: Path, on: bool) -> None:
    """Remount the small disk."""
    how = "ro" if on else "rw"
    subprocess.run([find("mount") or "mount", "-o", f"remount,{how}", str(folder)], check=True)


def test_a_full_disk_under_the_history_fails_the_job_and_the_next_run_finishes(
    small_disk: Path, tmp_path: Path
) -> None:
    site = a_site(f"sqlite:///{small_disk}/audit.db", f"sqlite:///{tmp_path}/jobs.db", tmp_path)
    before = site.expired()
    site.command("schedule")
    jobs = [job["id"] for job in site.command("jobs").data]
    ballast = fill_disk(small_disk)
    outcome = site.command("run")
    assert outcome.code == 3, outcome.err
    assert "full" in outcome.err
    assert "Traceback" not in outcome.err
    assert site.expired() == before
    site.check(jobs)
    ballast.unlink()
    site.command("schedule")
    outcome = site.command("run")
    assert outcome.code == 0, outcome.err
    assert site.expired() == 0
    site.check(jobs)


def test_a_full_disk_under_the_store_is_one_sentence_and_the_next_run_finishes(
    small_disk: Path, tmp_path: Path
) -> None:
    site = a_site(f"sqlite:///{tmp_path}/audit.db", f"sqlite:///{small_disk}/jobs.db", tmp_path)
    site.command("schedule")
    jobs = [job["id"] for job in site.command("jobs").data]
    ballast = fill_disk(small_disk)
    outcome = site.command("run")
    assert outcome.code == 11, outcome.err
    assert re.search("disk of the job store .* is full", outcome.error["message"]), outcome.err
    assert "--database sqlite:////OTHER/DISK/jobs.db" in outcome.error["message"]
    assert "Traceback" not in outcome.err
    ballast.unlink()
    site.check(jobs)
    site.command("schedule")
    outcome = site.command("run")
    assert outcome.code == 0, outcome.err
    assert site.expired() == 0
    site.check(jobs)


def test_a_read_only_store_is_one_sentence_and_nothing_is_deleted(small_disk: Path, tmp_path: Path) -> None:
    site = a_site(f"sqlite:///{tmp_path}/audit.db", f"sqlite:///{small_disk}/jobs.db", tmp_path)
    before = site.expired()
    site.command("schedule")
    jobs = [job["id"] for job in site.command("jobs").data]
    read_only(small_disk, True)
    outcome = site.command("run")
    assert outcome.code == 11, outcome.err
    assert "job store" in outcome.error["message"]
    assert "Read-only file system" in outcome.error["message"]
    assert "Traceback" not in outcome.err
    assert site.expired() == before
    read_only(small_disk, False)
    outcome = site.command("run")
    assert outcome.code == 0, outcome.err
    assert site.expired() == 0
    site.check(jobs)
