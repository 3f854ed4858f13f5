"""Which instances are the top of what is deleted together under the end-time strategy, and which stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import ROOT
from cleanupctl.history.camunda.schema.tables import ACTIVITIES, CASES, DECISIONS, PROCESS_INSTANCES
from cleanupctl.history.camunda.strategies.callers import Callers
from cleanupctl.history.camunda.strategies.lookups import existing, lookup
from cleanupctl.history.cleaning.cascade import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.cleaning.candidates import Row
    from cleanupctl.history.cleaning.cascade import CascadePlan

_INSTANCE, SUPER, _CALLED = "PROC_INST_ID_", "SUPER_PROCESS_INSTANCE_ID_", "CALL_PROC_INST_ID_"
_END, _CASE = "END_TIME_", "CASE_INST_ID_"
_ROOT_DECISION = "ROOT_DEC_INST_ID_"


class PerInstance:
    """Takes every instance for itself, as the engine does."""

    columns: tuple[str, ...] = ()

    def __init__(self, key: str, plan: CascadePlan) -> None:
        self.plans = (plan,)
        self._key = key

    def __call__(self, rows: Sequence[Row]) -> list[Unit]:
        """Return all of them."""
        return [Unit(str(row[self._key]), self.plans[0]) for row in rows]


class ByRootProcess:
    """Takes the roots of call hierarchies; instances whose root was deleted stand on their own.

    A tree in which an instance still runs stays, unless `include_unfinished`.
    """

    columns = (ROOT, SUPER)

    def __init__(
        self, schema: Schema, tree: CascadePlan, alone: CascadePlan, *, include_unfinished: bool
    ) -> None:
        self.kept = 0
        """Trees that stay because an instance of them still runs."""
        self.plans = (tree, alone)
        self._schema = schema
        self._include_unfinished = include_unfinished
        self._callers = Callers(schema)

    def __call__(self, rows: Sequence[Row]) -> list[Unit]:
        """Return the roots among the rows."""
        above = {row[_INSTANCE]: above_of(row) for row in rows}
        called = {one for one in above.values() if one is not None}
        present = existing(self._schema, PROCESS_INSTANCES, _INSTANCE, called)
        tops = [row for row in rows if above[row[_INSTANCE]] not in present]
        named = [row[_INSTANCE] for row in tops if row[ROOT] == row[_INSTANCE]]
        # Rows from before 7.10 do not know their root.
        unnamed = self._called_by([row[_INSTANCE] for row in tops if row[ROOT] is None])
        running = self._running(named, unnamed)
        if not self._include_unfinished:
            running |= self._callers.kept(PROCESS_INSTANCES, [row[_INSTANCE] for row in tops])
        self.kept += len(running)
        return [
            self._unit(row, unnamed.get(row[_INSTANCE], [])) for row in tops if row[_INSTANCE] not in running
        ]

    def _unit(self, row: Row, more: list[str]) -> Unit:
        tree, alone = self.plans
        return Unit(str(row[_INSTANCE]), tree if row[ROOT] == row[_INSTANCE] else alone, tuple(more))

    def _called_by(self, tops: list[str]) -> dict[str, list[str]]:
        """Follow the call activities down from instances that have no root on their rows."""
        found: dict[str, list[str]] = {top: [] for top in tops}
        if not self._schema.has(ACTIVITIES, _CALLED):
            return found
        top_of = {top: top for top in tops}
        layer = list(tops)
        while layer:
            pairs = self._lookup(ACTIVITIES, (_INSTANCE, _CALLED), _INSTANCE, layer, f"{_CALLED} IS NOT NULL")
            layer = []
            for caller, called in pairs:
                if called not in top_of:
                    top_of[called] = top_of[caller]
                    found[top_of[caller]].append(called)
                    layer.append(called)
        return found

    def _running(self, named: list[str], unnamed: dict[str, list[str]]) -> set[str]:
        """Return the tops of trees in which an instance has no end."""
        if self._include_unfinished:
            return set()
        found = set()
        if named:
            found = {
                root for (root,) in self._lookup(PROCESS_INSTANCES, (ROOT,), ROOT, named, f"{_END} IS NULL")
            }
        top_of = {one: top for top, more in unnamed.items() for one in more}
        open_ones = self._lookup(PROCESS_INSTANCES, (_INSTANCE,), _INSTANCE, list(top_of), f"{_END} IS NULL")
        return found | {top_of[one] for (one,) in open_ones}

    def _lookup(
        self, table: str, columns: tuple[str, ...], by: str, ids: list[str], where: str
    ) -> list[tuple[Any, ...]]:
        name, test = where.split(" ", 1)
        condition = f"t.{self._schema.column(table, name)} {test}"
        return list(lookup(self._schema, table, columns, by, ids, condition))


def above_of(row: Row) -> str | None:
    """Return the root of an instance, or its caller where the row knows no other root than itself."""
    above: str | None = row[ROOT] if row[ROOT] not in (None, row[_INSTANCE]) else row[SUPER]
    return above


class ByCase:
    """Takes cases that have not called, and were not called by, anything that has not ended."""

    columns: tuple[str, ...] = ()

    def __init__(self, schema: Schema, plan: CascadePlan) -> None:
        self.kept = 0
        """Cases that stay because of what called them, or what they called."""
        self.plans = (plan,)
        self._callers = Callers(schema)

    def __call__(self, rows: Sequence[Row]) -> list[Unit]:
        """Return those that belong to nothing that has not ended."""
        kept = self._callers.kept(CASES, [row[_CASE] for row in rows])
        self.kept += len(kept)
        return [Unit(str(row[_CASE]), self.plans[0]) for row in rows if row[_CASE] not in kept]


class ByRootDecision:
    """Takes decisions that belong to no process and no case, with those that they required.

    What was evaluated in a process or a case is deleted with it, or on its own when that is missing.
    """

    columns = (_ROOT_DECISION, _INSTANCE, ROOT, "CASE_INST_ID_")
    _OWNERS = (
        (_INSTANCE, PROCESS_INSTANCES, _INSTANCE),
        (ROOT, PROCESS_INSTANCES, _INSTANCE),
        ("CASE_INST_ID_", CASES, "CASE_INST_ID_"),
    )

    def __init__(self, schema: Schema, plan: CascadePlan, *, include_unfinished: bool) -> None:
        self.plans = (plan,)
        self._schema = schema
        self._include_unfinished = include_unfinished

    def __call__(self, rows: Sequence[Row]) -> list[Unit]:
        """Return the root decisions without owner among the rows."""
        required = {row[_ROOT_DECISION] for row in rows if row[_ROOT_DECISION] not in (None, row["ID_"])}
        present = existing(self._schema, DECISIONS, "ID_", required)
        owned: set[Any] = set()
        for column, table, key in self._OWNERS:
            asked = {row[column] for row in rows if row[column] is not None}
            found = existing(self._schema, table, key, asked)
            owned |= {row["ID_"] for row in rows if row[column] in found}
        if not self._include_unfinished and self._schema.has(PROCESS_INSTANCES, ROOT):
            roots = {row[ROOT] for row in rows if row[ROOT] is not None}
            end = f"t.{self._schema.column(PROCESS_INSTANCES, _END)} IS NULL"
            runs = {
                one for (one,) in lookup(self._schema, PROCESS_INSTANCES, (ROOT,), ROOT, sorted(roots), end)
            }
            owned |= {row["ID_"] for row in rows if row[ROOT] in runs}
        return [
            Unit(str(row["ID_"]), self.plans[0])
            for row in rows
            if row["ID_"] not in owned and row[_ROOT_DECISION] not in present
        ]


Chooser = PerInstance | ByRootProcess | ByCase | ByRootDecision
"""What chooses among expired instances."""
