"""What configured tables do to each other: one named twice, rows that go along and have their own policy."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.dependents import dependents, paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.conditions import Condition
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.target import Target


def named_twice(resolved: Iterable[Iterable[str]]) -> set[str]:
    """Return the tables that several entries of the configuration mean, from what each of them means."""
    counts = Counter(name for names in resolved for name in set(names))
    return {name for name, number in counts.items() if number > 1}


def twice(name: str, table: str) -> HistoryError:
    """Return the error that a table is meant by another entry too; `table` is what it is called."""
    called = f" ({table})" if table != name else ""
    return HistoryError(
        f"table {name}{called} is configured more than once in this history, under other spellings or with a"
        " partition of it: keep one [[history.table]] for it"
    )


def covered(
    target: Target, policies: Mapping[str, Condition], database: Database
) -> tuple[Target, str | None]:
    """Let rows of configured tables go along with a target's, once they have expired by their own policy.

    `policies` has what has expired, by the quoted name of the tables. Return also which rows the target's
    may have to wait for. Nothing is changed where rows without a policy go along.
    """
    table, found = target.table, dependents(target.table)
    if table.cascade or not found or not all(_has_policy(key.action, key.table, policies) for key in found):
        return target, None
    if any(program.changes or program.hidden for program in table.programs):
        # What a trigger does waits for no policy.
        return target, None
    guards = tuple(
        database.unexpired_guard(path, policies[path[-1].table])
        for path in paths(table)
        if path[-1].action == "cascade"
    )
    names = ", ".join(dict.fromkeys(key.name for key in found))
    why = f"rows of {names} that have not expired point at them"
    return replace(target, table=_allowed(table), guards=(*target.guards, *guards)), why


def _has_policy(action: str, place: str, policies: Mapping[str, Condition]) -> bool:
    return action == "cascade" and place in policies


def _allowed(table: Table) -> Table:
    return replace(table, cascade=True)
