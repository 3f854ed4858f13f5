"""The registry of kinds of histories: the settings of each, and the module that plans and checks it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from cleanupctl.core.settings import CamundaSettings, TablesSettings

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cleanupctl.core.run.cleaning import History
    from cleanupctl.core.settings import CleanupSettings, HistorySettings
    from cleanupctl.history.cleaning.tasks import Planner
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.findings import Checked


class KindModule(Protocol):
    """What the module of a kind has; the settings are always of that kind's class."""

    def planner(self, settings: Any, /) -> Planner:
        """Return what plans the deletion of expired rows."""

    def check(
        self, settings: Any, database: Database, now: datetime, long_transaction: timedelta, /
    ) -> Checked:
        """Look for faults at `now` (aware). Raises HistoryUnreachableError."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of history."""

    settings: type[HistorySettings]
    module: str
    """Imported only when a history of this kind is opened or checked."""

    def load(self) -> KindModule:
        """Import the module of this kind."""
        return cast("KindModule", import_module(self.module))


KINDS = {
    kind.settings: kind
    for kind in (
        Kind(CamundaSettings, "cleanupctl.history.camunda.kind"),
        Kind(TablesSettings, "cleanupctl.history.tables.kind"),
    )
}
"""By the class of their settings. A new kind is a settings class, a module and a line here."""


def kind_of(settings: HistorySettings) -> KindModule:
    """Return what plans and checks a configured history."""
    return KINDS[type(settings)].load()


def history(settings: HistorySettings, cleanup: CleanupSettings) -> History:
    """Return a configured history, ready to be opened; nothing is connected yet."""
    return history_with(kind_of(settings).planner(settings), settings, cleanup)


def history_with(planner: Planner, settings: HistorySettings, cleanup: CleanupSettings) -> History:
    """Return a history in which something else is done than deleting what has expired."""
    from cleanupctl.history.cleaning.session import CleaningHistory
    from cleanupctl.history.cleaning.sizing import Pacing
    from cleanupctl.history.databases.servers import connect

    return CleaningHistory(
        settings.name,
        lambda: connect(settings.url),
        lambda database: database.replica_lag(settings.replica_url),
        planner=planner,
        pacing=Pacing(cleanup.batch_time, cleanup.batch_size),
        zone=settings.timezone,
    )
