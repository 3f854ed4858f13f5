"""What Maven Central has that tests need: fetched once into the user's cache folder."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.support.requirement import check_allowed, missing, require


def jar(artifact: str) -> Path:
    """Path of an artifact's jar (`group:name:version`), fetched by Maven unless it is in the cache.

    Without Maven, or when it cannot fetch, the test is skipped (CI: fails).
    """
    import platformdirs

    check_allowed(artifact)
    _, name, version = artifact.split(":")
    path = platformdirs.user_cache_path("cleanupctl-tests") / f"{name}-{version}.jar"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch(artifact, path)
    return path


def _fetch(artifact: str, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        goal = ["dependency:copy", f"-Dartifact={artifact}", "-Dmdep.useBaseVersion=true"]
        download([*goal, f"-DoutputDirectory={folder}"], Path(folder))
        fetched = list(Path(folder).glob("*.jar"))
        if not fetched:
            missing(f"Maven could not fetch {artifact}")
        # Two sessions may fetch at the same time: each replaces the file by an equal, complete one.
        fetched[0].replace(path)


def download(goal: list[str], folder: Path) -> None:
    """Run a Maven goal in a folder; without Maven, or when it fails, the test is skipped (CI: fails)."""
    done = subprocess.run(
        [require("mvn", "maven"), "-q", "-B", *goal],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        missing(f"Maven failed at {' '.join(goal)}: {(done.stdout + done.stderr).strip()[-600:]}")
