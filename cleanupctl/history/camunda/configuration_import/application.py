"""Configurations of applications with an engine in them: documents of .yaml and .properties as flat keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cleanupctl.core.configuration.faults import unusable
from cleanupctl.history.camunda.configuration_import.properties import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINE = re.compile(r"[ \t\f]*((?:\\.|[^\\:=\s])*)[ \t\f]*[:=]?[ \t\f]*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_DEEPEST = 50
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def yaml_documents(path: Path, content: bytes) -> Iterator[list[tuple[str, str]]]:
    """Yield each document of a YAML stream as flat keys and texts. Raises ConfigurationError.

    Scalars stay as they are written: YAML would make the number 1200 of an unquoted 20:00. Aliases are
    refused, because few of them can stand for very much.
    """
    import yaml

    try:
        _check_events(path, yaml.parse(content, yaml.BaseLoader))
        # the base loader knows texts, lists and mappings only, whatever tags are in the file
        for document in yaml.load_all(content, yaml.BaseLoader):
            yield list(_flat(document))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise unusable(path, (f"{place}this is not YAML: {error.problem or error.context}",)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise unusable(path, (f"this is not YAML: {str(error).splitlines()[0]}",)) from None


def _check_events(path: Path, events: Iterator[Any]) -> None:
    """Refuse what a small file can use to take long, before anything is made of it."""
    from yaml import AliasEvent, CollectionEndEvent, CollectionStartEvent

    depth = 0
    for event in events:
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        fault = None
        if isinstance(event, AliasEvent):
            fault = f"aliases are not read: write out what *{event.anchor} stands for"
        elif depth > _DEEPEST:
            fault = f"lists and mappings are nested more than {_DEEPEST} deep"
        if fault:
            raise unusable(path, (f"line {event.start_mark.line + 1}: {fault}",))


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and plain(key).endswith("batchoperationsforhistorycleanup"):
        yield key, ", ".join(f"{name}={item}" for name, item in value.items())
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _flat(item, f"{key}.{number}")
    else:
        yield key, str(value)


def properties_documents(content: bytes) -> Iterator[list[tuple[str, str]]]:
    """Yield each document of a .properties file; `#---` on a line of its own begins another."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:  # what the format is by its definition
        text = content.decode("latin-1")
    document: list[tuple[str, str]] = []
    for line in _logical_lines(text):
        if line.rstrip() in {"#---", "!---"}:
            yield document
            document = []
        elif line and line[0] not in "#!" and (match := _LINE.fullmatch(line)):
            document.append((_unescaped(match[1]), _unescaped(match[2])))
    yield document


def _logical_lines(text: str) -> Iterator[str]:
    """Join lines that end in an odd number of backslashes with the next one, its indentation left out."""
    lines = iter(re.split(r"\r\n|\n|\r", text))
    for first in lines:
        line = first.lstrip(" \t\f")
        while line[:1] not in {"#", "!"} and (len(line) - len(line.rstrip("\\"))) % 2:
            line = line[:-1] + next(lines, "").lstrip(" \t\f")
        yield line


def _unescaped(text: str) -> str:
    def value(match: re.Match[str]) -> str:
        what = match[1]
        return chr(int(what[1:], 16)) if len(what) > 1 else _ESCAPED.get(what, what)

    return _ESCAPE.sub(value, text)
