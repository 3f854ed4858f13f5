"""The engine's real tables: its jar from Maven Central, and the create scripts inside it, run on a database.

Nothing of the jar is kept in this repository; it is fetched once into the user's cache folder.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleanupctl.core.urls import parse_url
from tests.support.requirement import check_allowed, missing, require
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CAMUNDA = "org.camunda.bpm:camunda-engine:7.24.0"
OPERATON = "org.operaton.bpm:operaton-engine:1.0.3"

_SCRIPTS = {
    "engine": ("engine", "history"),
    "identity": ("identity",),
    "case": ("case.engine", "case.history"),
    "decision": ("decision.engine", "decision.history"),
}
PARTS = tuple(_SCRIPTS)
"""Parts of the schema. `engine` is always needed; the others are optional, as in the engine."""

_DIALECTS = {"postgresql": ("postgres",), "mysql": ("mariadb", "mysql")}


def create_engine_schema(
    url: str, *, parts: Iterable[str] = PARTS, schema: str | None = None, artifact: str = CAMUNDA
) -> None:
    """Create the engine's tables and indexes in the (empty) database at `url`.

    `schema` is a PostgreSQL schema to create them in instead of the connection's default.
    """
    wanted = set(parts)
    if unknown := wanted - set(PARTS):
        raise ValueError(f"unknown parts {sorted(unknown)}; there are {', '.join(PARTS)}")
    kind = parse_url(url).scheme
    with connect(url) as connection, connection.cursor() as cursor:
        if schema is not None:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            cursor.execute(f"SET search_path TO {schema}")
        for script in (script for part in PARTS if part in wanted for script in _SCRIPTS[part]):
            _run(cursor, kind, _create_script(jar(artifact), kind, script))


def jar(artifact: str = CAMUNDA) -> Path:
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


def _create_script(path: Path, kind: str, script: str) -> str:
    with zipfile.ZipFile(path) as archive:
        for dialect in _DIALECTS[kind]:
            ending = f"/db/create/activiti.{dialect}.create.{script}.sql"
            for name in archive.namelist():
                if name.endswith(ending):
                    return archive.read(name).decode()
    raise LookupError(f"{path.name} has no create script {script!r} for {kind}")


def _run(cursor: Any, kind: str, script: str) -> None:
    if kind == "postgresql":
        cursor.execute(script)  # one round trip: the protocol takes many statements at once
        return
    for statement in _statements(script):
        cursor.execute(statement)


def _statements(script: str) -> Iterator[str]:
    text = re.sub(r"^\s*--.*$", "", script, flags=re.MULTILINE)
    yield from (statement for part in text.split(";") if (statement := part.strip()))
