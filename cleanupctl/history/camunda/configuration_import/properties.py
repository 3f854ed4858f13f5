"""Configuration files of process engines as properties: XML, YAML and .properties in, names and values out.

The files come from elsewhere and are not trusted: no entities, no objects, nothing large.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cleanupctl.core.configuration.file import reason
from cleanupctl.core.errors import ConfigurationError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIZE_LIMITS = {".xml": 5_000_000}
_SIZE_LIMIT = 1_000_000
_PLACEHOLDER = re.compile(r"\$\{([^${}:]*)(?::([^${}]*))?\}")
_UNRESOLVED = re.compile(r"[$#]\{|^@[^@\s]+@$")
_BEFORE_ENGINE_KEYS = re.compile(
    r"(?:\w+\.bpm\.(?:generic-?properties\.properties\.)?|quarkus\.\w+\.generic-?config\.)", re.IGNORECASE
)


@dataclass(slots=True)
class EngineProperties:
    """What one engine's configuration says; names are in the engine's spelling, lower case, no hyphens."""

    values: dict[str, str] = field(default_factory=dict)
    spelling: dict[str, str] = field(default_factory=dict)
    """How each name is written in the file."""
    windows: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """Start and end by weekday number of the engine (1 is Sunday) or its English name."""
    elsewhere: list[tuple[str, str]] = field(default_factory=list)
    """What belongs to other engines or profiles, and which."""

    def put(self, name: str, value: str) -> None:
        """Note a value; of two with the same name the later one holds. Empty and null mean: not set."""
        value = "".join(each if each.isprintable() else "?" for each in resolve(value.strip()))
        if value.lower() not in {"", "null", "~"}:
            self.values[plain(name)] = value
            self.spelling[plain(name)] = name


def plain(name: str) -> str:
    """Return a name without what relaxed binding allows to differ: hyphens, underscores and case."""
    return name.replace("-", "").replace("_", "").lower()


def resolve(value: str) -> str:
    """Put the defaults of Spring's placeholders in their place: `${NAME:20:00}` becomes `20:00`."""
    for _ in range(20):  # they may be nested; each round takes the innermost away
        resolved = _PLACEHOLDER.sub(lambda match: match[0] if match[2] is None else match[2], value)
        if resolved == value:
            break
        value = resolved
    return value


def is_unresolved(value: str) -> bool:
    """Whether a value depends on something that is not in the file: a variable, an expression, a build."""
    return bool(_UNRESOLVED.search(value))


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
