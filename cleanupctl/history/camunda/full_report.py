"""All that is reported of one engine's history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history import connect
from cleanupctl.history.camunda.definitions import DEFINITION_TABLES, PLACES
from cleanupctl.history.camunda.orphans import TABLES, orphans
from cleanupctl.history.camunda.report import Reporting, cleanable, cleanable_batches
from cleanupctl.history.camunda.schema import BYTE_ARRAYS, CHILDREN, ROOTS, SHARED, TASK_METRICS, find_schema
from cleanupctl.history.camunda.sizes import measure, sizes
from cleanupctl.history.camunda.unset_rows import unset_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.core.settings import HistorySettings
    from cleanupctl.history.camunda.report import Cleanable, CleanableBatches
    from cleanupctl.history.camunda.sizes import Size
    from cleanupctl.history.camunda.unset_rows import Unset

CASES = ("ACT_HI_CASEINST", "ACT_HI_CASEACTINST")
MEASURED = (*ROOTS, *CHILDREN, *CASES, *SHARED, TASK_METRICS)


@dataclass(frozen=True, slots=True)
class OrphanCount:
    """Orphans of one table; `rows` is None where they were not looked for."""

    table: str
    reason: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class FullReport:
    """One history, reported."""

    history: str
    strategy: str
    exact: bool
    cleanable: tuple[Cleanable, ...]
    batches: tuple[CleanableBatches, ...]
    unset: tuple[Unset, ...]
    orphans: tuple[OrphanCount, ...]
    sizes: tuple[Size, ...]


def full_report(settings: HistorySettings, now: datetime, *, exact: bool) -> FullReport:
    """Report on one history at `now` (aware). Raises HistoryError and HistoryUnreachableError."""
    database = connect(settings.url)
    try:
        names = tuple(dict.fromkeys((*MEASURED, *DEFINITION_TABLES, *TABLES)))
        schema = find_schema(database, settings, names)
        measured = measure(schema, settings.url.scheme)
        rows = {name: rows for name, (rows, _) in measured.items()}
        report = Reporting(settings, schema, now, exact, rows)
        return FullReport(
            settings.name,
            settings.strategy,
            exact,
            tuple(one for kind in PLACES for one in cleanable(report, kind)),
            tuple(cleanable_batches(report)),
            tuple(unset_rows(report)),
            tuple(_orphans(report)),
            tuple(sizes(report, measured, MEASURED)),
        )
    finally:
        database.close()


def _orphans(report: Reporting) -> Iterator[OrphanCount]:
    try:
        for found in orphans(report.schema, report.settings, report.now):
            rows = report.schema.database.count(found.target)[0] if report.counts(found.name) else None
            yield OrphanCount(found.target.table.name, found.reason, rows)
    except HistoryUnreachableError:
        raise
    except HistoryError as error:
        # Whoever may not read all tables gets the rest of the report all the same.
        yield OrphanCount(BYTE_ARRAYS, error.message, None)
