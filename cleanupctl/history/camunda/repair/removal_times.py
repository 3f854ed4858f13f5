"""Setting removal times, absolute, cleared or calculated: what is asked for becomes a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.history.camunda.repair.removal_time_changes import RemovalTimeChanges, Selected
from cleanupctl.history.camunda.repair.requests import Absolute, Calculated
from cleanupctl.history.camunda.schema.tables import (
    DEFINITION_TABLES,
    WITH_REMOVAL_TIME,
    find_schema,
)
from cleanupctl.history.cleaning.changes import ChangeTask
from cleanupctl.history.cleaning.tasks import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.repair.requests import InstanceFilter
    from cleanupctl.history.databases.database import Database

CHUNK = 500
_TABLES = (*WITH_REMOVAL_TIME, *DEFINITION_TABLES)


class RemovalTimesPlanner:
    """Plans to write the removal time of what is selected; says afterwards how many instances there were.

    Only rows whose value differs are touched, those of the instances themselves last: when stopped, the
    same call goes on where it was. With `hierarchical`, the whole tree of each selected instance gets what
    its root gets. `chunk` instances are looked at together.
    """

    def __init__(
        self,
        settings: CamundaSettings,
        selection: InstanceFilter,
        wanted: Absolute | Calculated,
        *,
        hierarchical: bool = False,
        chunk: int = CHUNK,
        dry_run: bool = False,
    ) -> None:
        """Prepare; with `dry_run` it is for counting only. Raise InvalidValueError."""
        selection.check()
        if isinstance(wanted, Calculated) and selection.kind == "batch":
            _require_batch_ttl(settings, selection)
        self.selected = Selected()
        self._settings = settings
        self._selection = selection
        self._wanted = wanted
        self._hierarchical = hierarchical
        self._chunk = chunk
        self._dry_run = dry_run

    def __call__(self, database: Database, now: datetime) -> Iterator[Phase]:
        """Yield one phase with one task. Raise HistoryError."""
        del now
        schema = find_schema(database, self._settings, _TABLES)
        changes = RemovalTimeChanges(
            schema,
            self._settings,
            self._selection,
            self._wanted,
            self._hierarchical,
            self._dry_run,
            self._chunk,
            self.selected,
        )
        yield Phase((ChangeTask(changes.table, "removal times", changes),))


def _require_batch_ttl(settings: CamundaSettings, selection: InstanceFilter) -> None:
    """Refuse to calculate what would only clear: the engine's own times to live of batches are not here."""
    if settings.batch_ttl.default is None and selection.definition_key not in settings.batch_ttl.by_type:
        raise InvalidValueError(
            "the configuration has no time to live for every batch operation that is meant: add default to"
            " batch_ttl of the history, name a type of batch_ttl with --definition-key, or give --absolute"
        )
