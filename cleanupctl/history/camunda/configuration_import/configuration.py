"""Import of an engine's own cleanup configuration: its file in, a configuration file for cleanupctl out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.settings.window import DAYS
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.configuration_import.files import read_engine_properties
from cleanupctl.history.camunda.configuration_import.mapping import Mapped, Unmapped, map_properties
from cleanupctl.history.databases.servers import engine_schemes, engine_servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cleanupctl.history.camunda.configuration_import.properties import EngineProperties

__all__ = ["ImportedConfiguration", "Mapped", "Unmapped", "import_engine_configuration"]

_JDBC = re.compile(rf"jdbc:(?:[\w-]+:)?({'|'.join(engine_schemes())})://([^/?;@\s]*)/([^?;/\s]+)(?:\?(\S*))?")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_EXAMPLE_URL = "postgresql://cleanup@db/camunda"


@dataclass(frozen=True, slots=True)
class ImportedConfiguration:
    """A configuration file made of an engine's; it can be used as it is."""

    toml: str
    taken: tuple[Mapped, ...]
    """What has a counterpart. Keys of `history` stand in the suggested history, which is commented out."""
    left: tuple[Unmapped, ...]
    """What has none, or could not be understood, each with the reason."""


def import_engine_configuration(path: Path, *, engine: str | None = None) -> ImportedConfiguration:
    """Read bpm-platform.xml, Spring beans, or an application's .yaml, .yml or .properties.

    `engine` names one of several engines in an XML file; without it, it is `default` or the first.
    The password of the database is never taken over. Raises ConfigurationError for a file that cannot be
    read, InvalidValueError for one of another kind or an engine that is not in it.
    """
    found = read_engine_properties(path, engine)
    url, schema, refused = _database(found)
    if schema and "databaseschema" not in found.values:
        found.put("databaseSchema", schema)
        found.spelling["databaseschema"] = "currentSchema"
    taken, left = map_properties(found)
    left += refused
    return ImportedConfiguration(
        "\n".join(_lines(path.name, url, taken, left)) + "\n", tuple(taken), tuple(left)
    )


def _database(found: EngineProperties) -> tuple[str | None, str | None, list[Unmapped]]:
    """Return URL and schema that the JDBC URL names, without password, or why there is no URL."""
    jdbc, user = found.values.pop("jdbcurl", None), found.values.pop("jdbcusername", None)
    if jdbc is None:
        return None, None, []
    match = _JDBC.fullmatch(jdbc)
    if match is None:
        reason = f"only {engine_servers('and')} have a counterpart: write the url of the history by hand"
        return None, None, [Unmapped(found.spelling["jdbcurl"], None, reason)]
    options = parse_qs(match[4] or "")
    user = user or options.get("user", [None])[0]
    login = f"{_quoted(user)}@" if user else ""
    url = f"{engine_schemes()[match[1]]}://{login}{match[2] or 'localhost'}/{_quoted(unquote(match[3]))}"
    try:
        parse_url(url, dict.fromkeys(_VARIABLE.findall(url), "1"))
    except InvalidValueError as error:
        return None, None, [Unmapped(found.spelling["jdbcurl"], None, error.message)]
    return url, options.get("currentSchema", [None])[0], []


def _quoted(text: str) -> str:
    """Percent-encode a part of a URL, apart from the variables in it, which are written alike here."""
    parts = re.split(r"(\$\{[A-Za-z_][A-Za-z0-9_]*\})", text)
    return "".join(part if _VARIABLE.fullmatch(part) else quote(part, safe="") for part in parts)


def _lines(name: str, url: str | None, taken: list[Mapped], left: list[Unmapped]) -> Iterator[str]:
    yield _comment(f"Imported from {name}.")
    yield ""
    yield "# The engine's windows are in the zone of its JVM: name the same one here."
    yield '# timezone = "Europe/Berlin"'
    for table in ("cleanup", "window", *(f"window.{day}" for day in DAYS)):
        keys = [each for each in taken if each.table == table]
        if keys:
            yield ""
            yield f"[{table}]"
            yield from (_assignment(each) for each in keys)
    yield ""
    yield "# The engine's history. Uncomment it, check the url, and give the password in a file of its own."
    yield from (f"# {line}" for line in _history(url, taken))
    if left:
        yield ""
        yield "# Not taken over:"
        for each in left:
            value = "" if each.value is None else f" = {each.value}"
            yield _comment(f"  {each.name}{value}: {each.reason}")


def _history(url: str | None, taken: list[Mapped]) -> Iterator[str]:
    yield "[[history]]"
    yield 'name = "engine"'
    yield 'kind = "camunda"'
    yield (
        f"url = {_toml(url)}" if url else f"url = {_toml(_EXAMPLE_URL)}  # an example: it is not in the file"
    )
    yield from (_assignment(each) for each in taken if each.table == "history")
    batches = [each for each in taken if each.table == "history.batch_ttl"]
    if batches:
        yield "[history.batch_ttl]"
        yield from (_assignment(each) for each in batches)


def _assignment(taken: Mapped) -> str:
    note = f" ({taken.note})" if taken.note else ""
    key = taken.key if _BARE_KEY.fullmatch(taken.key) else _toml(taken.key)
    return f"{key} = {_toml(taken.result)}  {_comment(f'{taken.name} = {taken.value}{note}')}"


def _toml(value: str | int | bool) -> str:
    # JSON's strings, numbers and booleans are TOML's too, but for one character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    """Return a comment of one line: the text may have been written by anybody."""
    return "# " + "".join(character if character.isprintable() else "?" for character in text)
