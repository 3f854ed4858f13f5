"""All that is reported of one engine's history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.camunda.repair.orphans import TABLES, orphans
from cleanupctl.history.camunda.report.cleanable import cleanable, cleanable_batches
from cleanupctl.history.camunda.report.counts import count_exactly
from cleanupctl.history.camunda.report.missing_removal_times import missing_removal_times
from cleanupctl.history.camunda.report.sampling import sample_processes
from cleanupctl.history.camunda.report.scope import ReportScope
from cleanupctl.history.camunda.report.sizes import measure, sizes
from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS
from cleanupctl.history.camunda.schema.tables import (
    BYTE_ARRAYS,
    CASE_TABLES,
    CHILDREN,
    DEFINITION_TABLES,
    OWN_TTL,
    PROCESS_INSTANCES,
    ROOTS,
    SHARED,
    find_schema,
)
from cleanupctl.history.camunda.strategies.registry import strategy_of
from cleanupctl.history.databases.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.report.cleanable import Cleanable, CleanableBatches
    from cleanupctl.history.camunda.report.missing_removal_times import MissingRemovalTimes
    from cleanupctl.history.camunda.report.sizes import Size
    from cleanupctl.history.databases.sizes import TableSize

MEASURED = (*ROOTS, *CHILDREN, *CASE_TABLES, *SHARED, *OWN_TTL)


@dataclass(frozen=True, slots=True)
class OrphanCount:
    """Orphans of one table; `rows` is None where they were not looked for."""

    table: str
    reason: str
    rows: int | None
    countable: bool = True
    """False where `reason` says what kept them from being looked for."""


@dataclass(frozen=True, slots=True)
class FullReport:
    """One history, reported."""

    history: str
    strategy: str
    by_instance: bool
    """Whether whole instances are deleted, and not each row by its removal time."""
    exact: bool
    cleanable: tuple[Cleanable, ...]
    batches: tuple[CleanableBatches, ...]
    without_removal_time: tuple[MissingRemovalTimes, ...]
    orphans: tuple[OrphanCount, ...]
    sizes: tuple[Size, ...]


def full_report(settings: CamundaSettings, now: datetime, *, exact: bool) -> FullReport:
    """Report on one history at `now` (aware). Raise HistoryError and HistoryUnreachableError."""
    database = connect(settings.url)
    try:
        names = tuple(dict.fromkeys((*MEASURED, *DEFINITION_TABLES)))
        schema = find_schema(database, settings, names)
        measured = measure(schema)
        rows = {name: rows for name, (rows, _) in measured.items()}
        strategy = strategy_of(settings)
        scope = ReportScope(strategy, schema, now, exact, rows)
        return _report(scope, measured)
    finally:
        database.close()


def _report(scope: ReportScope, measured: dict[str, TableSize]) -> FullReport:
    settings = scope.settings
    together = count_exactly(scope)
    counts = together if scope.strategy.by_instance else None
    sample = None
    if counts and PROCESS_INSTANCES in counts.uncounted and settings.hierarchy == "root":
        sample = sample_processes(scope)
    found = tuple(one for kind in ENGINE_KINDS for one in cleanable(scope, kind, counts, sample))
    deleted: Counter[str] = Counter()
    for one in found:
        deleted[ENGINE_KINDS[one.definition.kind].instances] += one.cleanable
    return FullReport(
        settings.name,
        scope.strategy.name,
        scope.strategy.by_instance,
        scope.exact,
        found,
        tuple(cleanable_batches(scope)),
        tuple(missing_removal_times(scope)),
        tuple(_orphans(scope)),
        tuple(sizes(scope, measured, MEASURED, together, deleted)),
    )


def _orphans(scope: ReportScope) -> Iterator[OrphanCount]:
    database = scope.schema.database
    try:
        schema = find_schema(database, scope.settings, TABLES)
        for found in orphans(schema, scope.strategy, scope.now):
            rows = database.count(found.target)[0] if scope.is_counted(found.name) else None
            yield OrphanCount(found.target.table.name, found.reason, rows)
    except HistoryUnreachableError:
        raise
    except HistoryError as error:
        # Whoever may not read all tables gets the rest of the report all the same.
        yield OrphanCount(BYTE_ARRAYS, error.message, None, countable=False)
