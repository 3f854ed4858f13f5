"""The engine's real tables: its jar from Maven Central, and the create scripts inside it, run on a database.

Nothing of the jar is kept in this repository.
"""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any

from cleanupctl.core.urls import parse_url
from tests.support.maven import jar
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CAMUNDA = "org.camunda.bpm:camunda-engine:7.24.0"
OPERATON = "org.operaton.bpm:operaton-engine:1.0.3"
CIBSEVEN = "org.cibseven.bpm:cibseven-engine:2.0.0"

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
