"""Configuration files of process engines: XML, YAML and .properties in, the properties of one engine out.

The files come from elsewhere and are not trusted: no entities, no objects, nothing large.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cleanupctl.core.configuration.file import reason
from cleanupctl.core.errors import ConfigurationError, InvalidValueError
from cleanupctl.history.camunda.configuration_import.properties import EngineProperties, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIZE_LIMITS = {".xml": 5_000_000}
_SIZE_LIMIT = 1_000_000
_BEFORE_ENGINE_KEYS = re.compile(
    r"(?:\w+\.bpm\.(?:generic-?properties\.properties\.)?|quarkus\.\w+\.generic-?config\.)", re.IGNORECASE
)


def read_engine_properties(path: Path, engine: str | None = None) -> EngineProperties:
    """Read the file of one engine; `engine` names one of several in an XML file.

    Raises ConfigurationError for a file that cannot be read, InvalidValueError for one of another kind or
    an engine that is not in it.
    """
    readers = {".xml": _xml, ".yaml": _yaml, ".yml": _yaml, ".properties": _properties}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InvalidValueError(f"{path} is none of the files that can be read: {', '.join(readers)}")
    return reader(path, _content(path), engine)


def _content(path: Path) -> bytes:
    limit = _SIZE_LIMITS.get(path.suffix.lower(), _SIZE_LIMIT)
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {reason(error)}", path=path) from error
    if len(content) > limit:
        raise ConfigurationError(f"{path} cannot be read: it has more than {limit} bytes", path=path)
    return content


def _xml(path: Path, content: bytes, engine: str | None) -> EngineProperties:
    from cleanupctl.history.camunda.configuration_import.xml import read_xml

    return read_xml(path, content, engine)


def _yaml(path: Path, content: bytes, engine: str | None) -> EngineProperties:
    from cleanupctl.history.camunda.configuration_import.application import yaml_documents

    return _application(yaml_documents(path, content), path, engine)


def _properties(path: Path, content: bytes, engine: str | None) -> EngineProperties:
    from cleanupctl.history.camunda.configuration_import.application import properties_documents

    return _application(properties_documents(content), path, engine)


def _application(
    documents: Iterator[list[tuple[str, str]]], path: Path, engine: str | None
) -> EngineProperties:
    """Take the engine's keys out of an application's; what holds in some profile only is set apart."""
    if engine is not None:
        raise InvalidValueError(f"{path} is the configuration of one engine: leave its name out")
    found = EngineProperties()
    for document in documents:
        profile = next((value for key, value in document if _is_profile(key)), None)
        for key, value in document:
            name = _engine_key(key)
            if name and profile:
                found.elsewhere.append((name, f"profile {profile}"))
            elif name:
                found.put(name, value)
    return found


def _is_profile(key: str) -> bool:
    return plain(key).startswith(("spring.config.activate.onprofile", "spring.profiles"))


def _engine_key(key: str) -> str | None:
    """Return the engine's name of an application's key, or None if it is not about the engine."""
    key = re.sub(r"\[['\"]?([^\]'\"]+)['\"]?\]", r".\1", key)
    if plain(key) in {"spring.datasource.url", "spring.datasource.username"}:
        return {"url": "jdbcUrl", "username": "jdbcUsername"}[plain(key).rpartition(".")[2]]
    own = {"database.tableprefix": "databaseTablePrefix", "database.schemaname": "databaseSchema"}
    prefix = _BEFORE_ENGINE_KEYS.match(key)
    if prefix is None:
        return None
    rest = key[prefix.end() :]
    return own.get(plain(rest), rest)
