"""What the configuration says, as frozen values: file, environment and options in one Settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.core.windows.windows import BatchWindows

Strategy = Literal["removal-time", "end-time"]
TimeFormat = Literal["timestamp", "seconds", "milliseconds"]
Hierarchy = Literal["root", "engine"]
DefinitionKind = Literal["process", "decision", "case"]


@dataclass(frozen=True, slots=True)
class CleanupSettings:
    """The [cleanup] table; `job_log_ttl` is in days, None keeps the entries for ever."""

    enabled: bool = True
    strategy: Strategy = "removal-time"
    parallelism: int = 1
    batch_size: int = 10_000
    batch_time: timedelta = timedelta(milliseconds=250)
    lease: timedelta = timedelta(seconds=60)
    retries: int = 3
    job_priority: int = 0
    job_log_ttl: int | None = 30


@dataclass(frozen=True, slots=True)
class ThrottleSettings:
    """The [throttle] table: how much a run holds back."""

    duty_cycle: float = 1.0
    """Share of the time, above 0 and up to 1, that each worker spends in transactions."""
    rows_per_second: int | None = None
    max_load: float | None = None
    """One-minute load average of the host that runs cleanupctl."""
    max_replica_lag: timedelta | None = None
    """How far the replicas of a history may be behind."""


@dataclass(frozen=True, slots=True)
class TableSettings:
    """One table of a history of kind `tables`; `ttl` is in days."""

    name: str
    time_column: str
    ttl: int
    schema: str | None = None
    """Its own schema, else that of its history; None is the database's default."""
    time_format: TimeFormat | None = None
    """None means: by the column's type."""


@dataclass(frozen=True, slots=True)
class TtlOverride:
    """One [[history.ttl]]: the time to live of definitions, whatever the engine has for them."""

    key: str
    ttl: int | None
    """Days; None keeps their history for ever."""
    tenant: str | None = None
    """None means every tenant, and definitions without one."""
    kind: DefinitionKind | None = None
    """None means every kind of definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """What every [[history]] has; `timezone` is that of the wall clock which wrote its rows."""

    name: str
    kind: str = field(init=False)
    """Decided by the class: there is one for each kind."""
    url: DatabaseUrl
    timezone: ZoneInfo
    schema: str | None = None
    replica_url: DatabaseUrl | None = None
    """The MySQL or MariaDB replica whose lag counts; PostgreSQL knows the lag of its standbys itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CamundaSettings(HistorySettings):
    """A [[history]] of kind `camunda`: the database of a process engine."""

    kind: Literal["camunda"] = field(default="camunda", init=False)
    table_prefix: str = ""
    strategy: Strategy = "removal-time"
    include_unfinished: bool = False
    task_metrics_ttl: int | None = None
    """Days; None keeps task metrics for ever."""
    cleanup_log_ttl: int | None = None
    """Days that job log entries of the engine's own cleanup are kept; None leaves them to it."""
    default_ttl: int | None = None
    """Days for definitions without a time to live; None keeps their history for ever."""
    hierarchy: Hierarchy = "root"
    """Whether the end-time strategy asks the root of a call hierarchy, or each instance on its own."""
    batch_ttls: Mapping[str, int | None] = field(default_factory=dict)
    """Days by type of batch operation; None keeps that type for ever."""
    batch_default_ttl: int | None = None
    """Days for the other types; None keeps them for ever."""
    ttls: tuple[TtlOverride, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesSettings(HistorySettings):
    """A [[history]] of kind `tables`: tables that are named one by one."""

    kind: Literal["tables"] = field(default="tables", init=False)
    tables: tuple[TableSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a command needs to know, checked."""

    path: Path | None
    """The file that was read; None if there is none and every default holds."""
    timezone: ZoneInfo
    """Zone of the batch windows and of printed dates."""
    store: DatabaseUrl
    cleanup: CleanupSettings
    windows: BatchWindows
    histories: tuple[HistorySettings, ...]
    digest: str
    """12 hexadecimal digits that change when the configuration does; secrets play no part."""
    store_origin: str = "default"
    """What named the store: `--database`, `$CLEANUPCTL_DATABASE`, `job_store.url` or `default`."""
    given: frozenset[str] = field(default=frozenset(), repr=False)
    """Key paths that stand in the file, such as `cleanup.parallelism` or `history[1].name`."""
    throttle: ThrottleSettings = ThrottleSettings()
    warnings: tuple[str, ...] = ()
    """What the operator should know about the configuration that stops nothing."""

    def secrets(self) -> tuple[str, ...]:
        """Every password in it, for whoever has to keep them out of an output."""
        replicas = (history.replica_url for history in self.histories)
        urls = (self.store, *(history.url for history in self.histories), *replicas)
        return tuple(secret for url in urls if url for secret in url.secrets())
