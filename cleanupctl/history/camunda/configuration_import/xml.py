"""XML configurations of process engines: bpm-platform.xml, processes.xml, subsystems, Spring beans."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from cleanupctl.core.configuration.faults import unusable
from cleanupctl.core.errors import ConfigurationError, InvalidValueError
from cleanupctl.history.camunda.configuration_import.properties import EngineProperties, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from xml.etree.ElementTree import Element

_WINDOWS = "historyCleanupBatchWindows"
_BATCH_TTLS = "batchOperationsForHistoryCleanup"


def read_xml(path: Path, content: bytes, engine: str | None) -> EngineProperties:
    """Read one engine of the file: the one named, else `default`, else the first.

    Raises ConfigurationError for what is not XML or has entities, InvalidValueError for an unknown engine.
    """
    root = _parsed(path, content)
    engines = list(_engines(root))
    names = [name for name, _ in engines]
    if engine is not None and engine not in names:
        known = f"it has {', '.join(names)}" if names else "no engine in it has a name"
        raise InvalidValueError(f"there is no engine {engine!r} in {path}: {known}")
    chosen = engine or ("default" if "default" in names else next(iter(names), None))
    found = EngineProperties(elsewhere=[("process-engine", name) for name in names if name != chosen])
    elements = [properties for name, properties in engines if name == chosen][:1] if engines else [root]
    for element in elements:
        for each in element.iter():
            _read(each, found)
    return found


def _parsed(path: Path, content: bytes) -> Element:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(content)
    except DefusedXmlException:
        raise ConfigurationError(
            f"{path} is refused: it declares XML entities, which can be used for attacks; remove them",
            path=path,
        ) from None
    except ParseError as error:
        line, column = error.position
        fault = f"line {line}, column {column + 1}: this is not XML: {str(error).partition(': line')[0]}"
        raise unusable(path, (fault,)) from None
    except (ValueError, LookupError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}", path=path) from None
    return root


def _local(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _engines(root: Element) -> Iterator[tuple[str, Element]]:
    for number, element in enumerate(
        (each for each in root.iter() if _local(each) == "process-engine"), start=1
    ):
        yield element.get("name") or f"engine {number}", element


def _read(element: Element, found: EngineProperties) -> None:
    """Take what one element says: a property, or the attributes of a bean in Spring's short form."""
    for attribute, short in element.attrib.items():
        if attribute.startswith("{http://www.springframework.org/schema/p}"):
            found.put(attribute.rpartition("}")[2], short)
    if _local(element) == "bean":
        _read_data_source(element, found)
    name = element.get("name")
    if _local(element) != "property" or not name:
        return
    if name == _WINDOWS:
        found.windows.update(_windows(element))
    elif name == _BATCH_TTLS:
        found.put(name, ", ".join(f"{key}={value}" for key, value, _ in _entries(element)) or "null")
    elif (value := _value(element)) is not None:
        found.put(name, value)


def _read_data_source(bean: Element, found: EngineProperties) -> None:
    """Take the JDBC URL of a bean that is a data source, under the names that the engine has for it."""
    values = {each.get("name"): _value(each) for each in bean if _local(each) == "property"}
    url = values.get("url") or values.get("jdbcUrl") or ""
    if resolve(url).startswith("jdbc:"):
        found.put("jdbcUrl", url)
        found.put(
            "jdbcUsername", values.get("username") or values.get("user") or values.get("jdbcUsername") or ""
        )


def _value(element: Element) -> str | None:
    """Return the value of an element: an attribute, a <value> in it, or its text."""
    value = element.get("value")
    if value is not None:
        return value
    inner = next((each for each in element if _local(each) == "value"), element)
    return inner.text if inner.text and inner.text.strip() else None


def _entries(element: Element) -> Iterator[tuple[str, str | None, Element]]:
    for entry in element.iter():
        if _local(entry) == "entry":
            key = entry.get("key") or next((_key_text(each) for each in entry if _local(each) == "key"), "")
            yield key.strip(), _value(entry), entry


def _key_text(key: Element) -> str:
    constants = [constant for each in key if (constant := each.get("static-field"))]
    return constants[0] if constants else "".join(key.itertext())


def _windows(element: Element) -> Iterator[tuple[str, tuple[str | None, str | None]]]:
    for key, _, entry in _entries(element):
        times: dict[str, str] = {}
        for number, part in enumerate(
            each for each in entry.iter() if _local(each) in {"constructor-arg", "property"}
        ):
            place = part.get("name") or part.get("index") or str(number)
            times[{"0": "startTime", "1": "endTime"}.get(place, place)] = resolve(
                (_value(part) or "").strip()
            )
        yield key.rpartition(".")[2], (times.get("startTime") or None, times.get("endTime") or None)
