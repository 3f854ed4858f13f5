"""Which history is reported, at which moment and how exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.camunda.strategies.strategy import Strategy
    from cleanupctl.history.databases.conditions import Condition

EXACT_ROWS = 200_000
"""Tables up to this size (by statistics) are counted exactly also when estimates would do."""


@dataclass(frozen=True, slots=True)
class ReportScope:
    """One history at one moment (aware); `exact` counts every row, however long it takes."""

    strategy: Strategy
    schema: Schema
    now: datetime
    exact: bool
    sizes: dict[str, int]
    """Rows by table name without prefix, from the statistics."""

    @property
    def settings(self) -> CamundaSettings:
        """The history's part of the configuration."""
        return self.strategy.settings

    def is_counted(self, table: str) -> bool:
        """Whether the rows of a table are counted and not estimated."""
        return self.exact or self.sizes.get(table, 0) <= EXACT_ROWS

    def is_counted_along(self, table: str) -> bool:
        """Whether rows deleted along with instances are counted: that takes a query for some of them each."""
        return self.exact or self.sizes.get(table, 0) <= EXACT_ROWS // 10

    def expired_rows(self, table: str) -> Target | None:
        """Return the rows that are deleted each by their own time; None when the strategy has no such rules.

        What keeps rows all the same is left out where they are only estimated.
        """
        return self.strategy.expired_rows(self.schema, table, self.now, guarded=self.is_counted(table))

    def number(self, table: str, column: str, condition: Condition) -> int:
        """Count or estimate the rows that meet a condition; `column` is that of the index to use."""
        found = self.schema.tables[table]
        target = Target(found, found.column(column), condition)
        if not self.is_counted(table):
            estimate = self.schema.database.estimate(target)
            if estimate is not None:
                return estimate
        return self.schema.database.count(target)[0]
