"""The configuration file as a JSON Schema, for editors: what the reader accepts is valid, and little else.

What holds between keys (a window that ends has a start, names are unique) is checked by `config check` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.configuration.schema import default_value, kind_of, table_of, tables_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.configuration.schema import Key, Table

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the configuration file."""
    top = table_of("")
    return {
        "$schema": DIALECT,
        "title": "Configuration of cleanupctl",
        **_object(top, "All keys and tables of cleanupctl's configuration file."),
        "$defs": {
            _definition(table, kind): _object(table, table.description, kind)
            for table in tables_below("")
            for kind in _kinds(table)
        },
    }


def _object(table: Table, description: str, kind: str | None = None) -> dict[str, Any]:
    """Return the schema of one table; of several kinds, as the one of this kind has it."""
    keys = [key for key in table.keys.values() if kind is None or key.kind in (None, kind)]
    below = [other for other in tables_below(table.name) if kind is None or other.kind in (None, kind)]
    others = [key for key in keys if key.declared.others is not None]
    properties = {key.name: _key(key) for key in keys if key not in others}
    if kind:
        properties["kind"] |= {"enum": [kind], "examples": [kind]}
    properties |= {name: _key(key) for key in others for name in key.declared.others or ()}
    properties |= {name: _table(other) for other in below for name in other.names}
    required = [key.name for key in keys if key.required]
    required += [other.names[0] for other in below if other.declared.needed]
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": _key(others[0]) if others else False,
    }


def _table(table: Table) -> dict[str, Any]:
    kinds = list(_kinds(table))
    if "." in table.name:
        one = _object(table, table.description)
    else:
        references = [{"$ref": f"#/$defs/{_definition(table, kind)}"} for kind in kinds]
        one = references[0] if len(references) == 1 else {"oneOf": references}
    if not table.declared.many:
        return one
    least = {"minItems": 1} if table.declared.needed else {}
    return {"description": table.description, "type": "array", "items": one, **least}


def _kinds(table: Table) -> Iterator[str | None]:
    """Return the kinds that an item of a table may be of; None where there are no kinds."""
    if len(table.declared.records) == 1:
        yield None
    else:
        yield from map(kind_of, table.declared.records)


def _definition(table: Table, kind: str | None) -> str:
    return f"{table.name}-{kind}" if kind else table.name


def _key(key: Key) -> dict[str, Any]:
    default = default_value(key)
    addition = "" if key.required or default is not None else f" Default: {key.default}."
    return {
        "description": f"{key.description}{addition}",
        **key.type.schema,
        **({} if default is None else {"default": default}),
        "examples": [key.declared.example],
    }
