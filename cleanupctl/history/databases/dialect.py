"""How names, keys, times and conditions are written for a server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.catalogue import unfit_column
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import SET_FROM, latest_number
from cleanupctl.history.databases.dependents import restricting
from cleanupctl.history.databases.units import unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.history.databases.catalogue import Column, ForeignKey, Table
    from cleanupctl.history.databases.cutoff import Cutoff


class Dialect(ABC):
    """The parts that statements are put together from; `%s` is a bound value on every server."""

    index_option: ClassVar[str] = ""
    """What lets an index be created without keeping writers out, where that has to be said."""

    deletes_self_referring: ClassVar[bool] = True
    """Whether a row that a foreign key of its own points at, because it refers to itself, can be deleted."""
    reads_older: ClassVar[bool] = False
    """Whether a subquery of a DELETE sees other tables as they were when it began, and its own as it is."""

    @abstractmethod
    def quote(self, name: str) -> str:
        """Return an identifier of the catalogue as it is written in a statement."""

    @abstractmethod
    def place(self, name: str, schema: str | None = None) -> str:
        """Return the quoted name of a table with its schema, whether it exists or not."""

    def qualified(self, table: Table) -> str:
        """Return the quoted name of a table, with its schema."""
        return self.place(table.name, table.schema)

    @abstractmethod
    def rows_of(self, table: Table, *, along_key: bool = False, only: bool = False) -> str:
        """Return the table with its alias `t`, for FROM; `along_key` keeps the planner on the primary key."""

    def key_columns(self, table: Table) -> list[str]:
        """Return the quoted key columns of the row called `t`."""
        return [f"t.{self.quote(name)}" for name in table.key]

    def key_values(self, table: Table) -> list[str]:
        """Return the same as it is read: so that a value which is bound again is equal to it."""
        return self.key_columns(table)

    def address_of(self, table: Table) -> list[str]:
        """Return what tells a row `t` of a table from all others. Raise HistoryError when nothing does."""
        if not table.key:
            raise HistoryError(
                f"table {table.name} has no primary key to tell its rows apart; create one first"
            )
        return self.key_columns(table)

    def address_values(self, table: Table) -> list[str]:
        """Return the same as it is read: so that a value which is bound again is equal to it."""
        address = self.address_of(table)
        return self.key_values(table) if address == self.key_columns(table) else address

    def keys_condition(self, columns: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> Condition:
        """Return the condition that `columns` have one of `keys`, of which there must be at least one."""
        if len(columns) == 1:
            return self.any_of(columns[0], [key[0] for key in keys])
        either = " OR ".join("(" + " AND ".join(f"{one} = %s" for one in columns) + ")" for _ in keys)
        return Condition(f"({either})", tuple(value for key in keys for value in key))

    def any_of(self, expression: str, values: Sequence[Any]) -> Condition:
        """Return the condition that an expression is one of `values`, of which there must be at least one."""
        marks = ", ".join(["%s"] * len(values))
        return Condition(f"{expression} IN ({marks})", tuple(values))

    def expired(
        self, column: Column, cutoff: Cutoff, table: Table, time_format: str | None, *, unset: bool = False
    ) -> Condition:
        """Return the condition that `column` is not after `cutoff`. Raise HistoryError for no time.

        A time before SET_FROM means that none was set: it has not expired, unless `unset` says so.
        Compares by the column's own type and never casts the column, so that its index serves.
        """
        name = f"t.{self.quote(column.name)}"
        operator, latest = self._latest(column, cutoff, table, time_format)
        upper = Condition(f"{name} {operator} %s", (latest,))
        if unset:
            return upper
        return both((Condition(f"{name} >= %s", (self._earliest(column, table, time_format),)), upper))

    def unset(self, column: Column, table: Table, time_format: str | None) -> Condition:
        """Return the condition that `column` has a time which means that none was set; it is not NULL."""
        earliest = self._earliest(column, table, time_format)
        return Condition(f"t.{self.quote(column.name)} < %s", (earliest,))

    def unreadable(self, column: Column) -> Condition | None:
        """Return the condition that `column` has no readable time; None where its type forbids that."""
        del column
        return None

    def not_zero(self, column: Column) -> Condition:
        """Return the condition that `column` is neither 0 nor a zero date, nor before Christ."""
        name = f"t.{self.quote(column.name)}"
        return Condition(f"{name} <> 0" if column.kind == "integer" else f"{name} >= '0001-01-01'")

    def without_time(self, column: Column) -> Condition:
        """Return the condition that `column` is NULL."""
        return Condition(f"t.{self.quote(column.name)} IS NULL")

    def _latest(
        self, column: Column, cutoff: Cutoff, table: Table, time_format: str | None
    ) -> tuple[str, Any]:
        """Return how, and with which value of its own type, a column is compared with a cutoff."""
        match column.kind:
            case "wall":
                return "<=", cutoff.wall
            case "instant":
                return "<=", self._instant_value(cutoff.instant)
            case "date":
                return "<", cutoff.day
            case "integer":
                return latest_number(cutoff, unit_of(time_format, column, table))
        raise unfit_column(column, table)

    def _earliest(self, column: Column, table: Table, time_format: str | None) -> Any:
        """Return SET_FROM as a value of a column's own type."""
        match column.kind:
            case "wall":
                return SET_FROM.replace(tzinfo=None)
            case "instant":
                return self._instant_value(SET_FROM)
            case "date":
                return SET_FROM.date()
            case "integer":
                return unit_of(time_format, column, table).last_number(SET_FROM)
        raise unfit_column(column, table)

    def _instant_value(self, instant: datetime) -> datetime:
        """Return an instant as the driver binds it for a column of kind `instant`."""
        return instant

    @abstractmethod
    def stored_value(self, instant: datetime, column: Column, zone: ZoneInfo) -> Any:
        """Return an instant (aware) as a column with a time holds it; `zone` is that of the writer."""

    def none_current(self, rows: str) -> str:
        """Return the condition of a DELETE that no such rows are committed when a row is looked at."""
        return f"NOT EXISTS (SELECT 1 FROM {rows})"

    def references_guard(self, table: Table) -> tuple[Condition, ...]:
        """Return conditions that hold for rows that no foreign key keeps.

        Nothing points at them, but themselves, nor at rows of other tables that go along with them.
        """
        return tuple(self._guard(path) for path in restricting(table))

    def unexpired_guard(self, path: tuple[ForeignKey, ...], expired: Condition) -> Condition:
        """Return the condition that all rows at the end of a path, which leads from the row `t`, are expired.

        `expired` is about the rows of the last table.
        """
        key = path[-1]
        named = dict.fromkeys((*key.columns, *(key.referenced if key.own else ())))
        columns = ", ".join(f"t.{self.quote(name)}" for name in named)
        rows = f"(SELECT {columns} FROM {key.table} AS t WHERE ({expired.sql}) IS NOT TRUE)"
        return replace(self._guard((*path[:-1], replace(key, table=rows))), parameters=expired.parameters)

    def _guard(self, path: tuple[ForeignKey, ...]) -> Condition:
        """Return the condition that no row of the last table of a path keeps the row `t`, but itself."""
        referencing = [*(f"r{place}" for place in range(1, len(path))), "r"]
        referenced = ["t", *referencing[:-1]]
        keys = list(zip(path, referencing, referenced, strict=True))
        rows = ", ".join(f"{key.table} AS {alias}" for key, alias, _ in keys)
        matches = [self._refers(*one) for one in keys]
        if path[-1].own and self.deletes_self_referring:
            matches.append(self._differs(*keys[-1]))
        return Condition(f"NOT EXISTS (SELECT 1 FROM {rows} WHERE {' AND '.join(matches)})")

    def _refers(self, key: ForeignKey, referencing: str, referenced: str) -> str:
        equals = key.equals or ("=",) * len(key.columns)
        return " AND ".join(
            f"{referenced}.{self.quote(theirs)} {operator} {referencing}.{self.quote(ours)}"
            for ours, theirs, operator in zip(key.columns, key.referenced, equals, strict=True)
        )

    def _differs(self, key: ForeignKey, one: str, other: str) -> str:
        """Return that two rows of a table are not the same one: what is referenced is unique."""
        either = " OR ".join(
            f"{one}.{name} <> {other}.{name} OR {one}.{name} IS NULL"
            for name in map(self.quote, key.referenced)
        )
        return f"({either})"

    def index_statement(self, table: Table, column: Column, name: str | None = None) -> str:
        """Return the statement that creates the index a table lacks, for the operator to run."""
        named = self.quote(f"{table.name}_{column.name}_idx".lower()) if name is None else self._named(name)
        place = f"{self._index_place(table)} ({self.quote(column.name)})"
        return f"CREATE INDEX {self._index_option(table)}{named} ON {place}"

    def _index_option(self, table: Table) -> str:
        """Return what keeps writers working while an index of a table is created."""
        del table
        return self.index_option

    def _named(self, name: str) -> str:
        return name if name.isidentifier() else self.quote(name)

    def _index_place(self, table: Table) -> str:
        return self.qualified(table)
