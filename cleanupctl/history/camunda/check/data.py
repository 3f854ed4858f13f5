"""Whether an engine's rows suit the strategy of its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.tables import DEFINITION_TABLES, any_row
from cleanupctl.history.camunda.strategies.without_instance import kept_without_instance
from cleanupctl.history.databases.database import COUNT_BOUND
from cleanupctl.history.databases.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.check.inspected import InspectedEngine
    from cleanupctl.history.camunda.schema.tables import Schema


def fit(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    """Compare the strategy with what is in the tables; each question stops at the first rows."""
    yield from _times_to_live(inspected, schema)
    yield from inspected.strategy.check_rows(schema)
    yield from _without_instance(inspected, schema)


def _without_instance(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    kept = kept_without_instance(schema, inspected.settings)
    if kept:
        numbers = ", ".join(
            f"{number}{' or more' if number >= COUNT_BOUND else ''} {what}" for what, number in kept.items()
        )
        yield Finding(
            "hint",
            None,
            f"history that belongs to no instance is kept for ever: {numbers}",
            "give it times to live in [history.without_instance_ttl]",
        )


def _times_to_live(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    known = [name for name in DEFINITION_TABLES if schema.has(name, "HISTORY_TTL_")]
    definitions = [name for name in known if any_row(schema, name, "1 = 1")]
    if not definitions or inspected.settings.default_ttl is not None:
        return
    if any(
        any_row(schema, name, f"t.{schema.column(name, 'HISTORY_TTL_')} IS NOT NULL") for name in definitions
    ):
        return
    column = schema.column(definitions[0], "KEY_")
    key = schema.database.query(f"SELECT min({column}) FROM {schema.quoted(definitions[0])}")[0][0]
    yield Finding(
        inspected.strategy.without_ttl,
        schema.tables[definitions[0]].name,
        "no definition has a time to live (HISTORY_TTL_): no instance ever expires",
        f"cleanupctl history ttl set {key} P30D --history {inspected.settings.name} --all-versions",
    )
