"""What the schema scripts of an engine's version create: tables with their columns, and indexes."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from functools import cache

from tests.support.engine_schema import jar

CAMUNDA_VERSIONS = {(7, minor): f"org.camunda.bpm:camunda-engine:7.{minor}.0" for minor in range(2, 25)}
"""The first release of each version line that Maven Central has with scripts like these."""
FORKS = {
    "org.operaton.bpm:operaton-engine:1.0.3": (7, 24),
    "org.cibseven.bpm:cibseven-engine:1.1.0": (7, 22),
    "org.cibseven.bpm:cibseven-engine:2.0.0": (7, 24),
}
"""Other engines of the family, with the version of Camunda 7 whose schema they have."""

_DIALECTS = ("postgres", "mysql", "mariadb")
_SCRIPT = re.compile(r"/db/create/activiti\.(\w+)\.create\.(\w+)(?:\.\w+)?\.sql$")
_TABLE = re.compile(r"create table (\w+)\s*\((.*)\)", re.DOTALL | re.IGNORECASE)
_INDEX = re.compile(r"create (?:unique )?index (\w+) on (\w+)\s*\((.*)\)", re.DOTALL | re.IGNORECASE)
_COLUMN = re.compile(r"^\s*([A-Z][A-Z0-9_]*_)\s", re.MULTILINE)
_BYTE_ARRAY_KEY = re.compile(
    r"alter table (\w+)\s+add constraint \w+\s+foreign key \((\w+)\)\s*references ACT_GE_BYTEARRAY",
    re.IGNORECASE,
)


@dataclass(slots=True)
class ScriptTable:
    """A table as the scripts of any database create it."""

    component: str
    """`engine`, `identity`, `case` or `decision`."""
    columns: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Scripts:
    """All that the create scripts of one version say."""

    tables: dict[str, ScriptTable] = field(default_factory=dict)
    indexes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Table and first column of an index, by its name."""
    byte_array_keys: set[tuple[str, str]] = field(default_factory=set)
    """Table and column of foreign keys that point at byte arrays."""


@cache
def scripts_of(artifact: str) -> Scripts:
    """Read the create scripts in the jar of a version, fetched by Maven unless it is in the cache."""
    found = Scripts()
    with zipfile.ZipFile(jar(artifact)) as archive:
        for name in archive.namelist():
            script = _SCRIPT.search(name)
            if script and script[1] in _DIALECTS:
                component = "engine" if script[2] == "history" else script[2]
                _read(found, component, archive.read(name).decode())
    return found


def _read(found: Scripts, component: str, script: str) -> None:
    text = re.sub(r"/\*.*?\*/", "", re.sub(r"--.*$", "", script, flags=re.MULTILINE), flags=re.DOTALL)
    for part in text.split(";"):
        statement = part.strip()
        if table := _TABLE.match(statement):
            known = found.tables.setdefault(table[1].upper(), ScriptTable(component))
            known.columns |= set(_COLUMN.findall(table[2]))
        elif index := _INDEX.match(statement):
            found.indexes[index[1]] = (index[2].upper(), re.split(r"\W", index[3].strip())[0])
        elif key := _BYTE_ARRAY_KEY.match(statement):
            found.byte_array_keys.add((key[1].upper(), key[2]))
