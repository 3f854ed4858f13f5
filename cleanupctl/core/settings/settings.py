"""What the configuration says, as frozen values: file, environment and options in one Settings."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from cleanupctl.core.settings import values
from cleanupctl.core.settings.cleanup import CleanupSettings, JobStoreTable, ThrottleSettings
from cleanupctl.core.settings.declaration import key, record, table, tables
from cleanupctl.core.settings.histories import HISTORY_KINDS, HistorySettings
from cleanupctl.core.settings.window import WindowTable

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.core.windows.windows import BatchWindows


@record(kw_only=True)
class Settings:
    """Everything a command needs to know, checked; its keys and tables are those of the file, in order."""

    path: Path | None
    """The file that was read; None if there is none and every default holds."""
    timezone: ZoneInfo = key(
        values.ZONE,
        "Zone of the batch windows and of the dates that are printed.",
        otherwise="the system's",
        example="Europe/Berlin",
    )
    store: DatabaseUrl = table(
        JobStoreTable, "The database that holds the cleanup jobs and the job log.", name="job_store"
    )
    cleanup: CleanupSettings = table(CleanupSettings, "How cleanup is done.", default_factory=CleanupSettings)
    throttle: ThrottleSettings = table(
        ThrottleSettings,
        "How much a run holds back for other work: it pauses between transactions, never inside one.",
        default_factory=ThrottleSettings,
    )
    windows: BatchWindows = table(
        WindowTable,
        "The batch window: every day from start to end, or by cron expression and duration. "
        "Without any window cleanup runs only when it is scheduled immediately due.",
        name="window",
    )
    histories: tuple[HistorySettings, ...] = tables(
        tuple(HISTORY_KINDS.values()),
        "A database whose expired rows are cleaned; may be repeated.",
        name="history",
        default=(),
    )
    digest: str
    """12 hexadecimal digits that change when the configuration does; secrets play no part."""
    store_origin: str = "default"
    """What named the store: `--database`, `$CLEANUPCTL_DATABASE`, `job_store.url` or `default`."""
    given: frozenset[str] = field(default=frozenset(), repr=False)
    """Key paths that stand in the file, such as `cleanup.parallelism` or `history[1].name`."""
    warnings: tuple[str, ...] = ()
    """What the operator should know about the configuration that stops nothing."""

    def secrets(self) -> tuple[str, ...]:
        """Return every password in it, for whoever has to keep them out of an output."""
        replicas = (history.replica_url for history in self.histories)
        urls = (self.store, *(history.url for history in self.histories), *replicas)
        return tuple(secret for url in urls if url for secret in url.secrets())
