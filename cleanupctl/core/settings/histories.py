"""The histories: what every one has, and a settings class for each kind."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from cleanupctl.core.settings import declaration, values
from cleanupctl.core.settings.cleanup import Strategy
from cleanupctl.core.settings.declaration import key, other_keys, record, table, tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from cleanupctl.core.urls import DatabaseUrl

HistoryKind = Literal["camunda", "tables"]
TimeFormat = Literal["timestamp", "seconds", "milliseconds", "microseconds", "days", "julian-day"]
UnsetTime = Literal["keep", "keep-zero", "expired"]
ImplausibleTimes = Literal["refuse", "allow"]
Hierarchy = Literal["root", "engine"]
Cascade = Literal["refuse", "allow"]
DefinitionKind = Literal["process", "decision", "case"]

BATCH_TYPES = (
    "instance-migration",
    "instance-modification",
    "instance-restart",
    "instance-deletion",
    "instance-update-suspension-state",
    "historic-instance-deletion",
    "historic-decision-instance-deletion",
    "set-job-retries",
    "set-external-task-retries",
    "process-set-removal-time",
    "decision-set-removal-time",
    "batch-set-removal-time",
    "set-variables",
    "correlate-message",
)
"""The engine's types of batch operation; applications may add their own."""


@record(kw_only=True, abstract=True)
class HistorySettings:
    """What every [[history]] has."""

    name: str = key(
        values.HISTORY_NAME,
        f"Name of the history in options, output and job log; unique, and not {values.JOB_LOG_HISTORY}.",
        example="orders-engine",
    )
    kind: HistoryKind = key(
        values.choice(HistoryKind),
        "The database of a process engine (Camunda 7, Operaton, CIB seven, Fluxnova), or tables that are"
        " named one by one.",
        example="camunda",
        init=False,
    )
    """Decided by the class: there is one for each kind."""
    url: DatabaseUrl = key(
        values.URL,
        "Where the history is; written like the URL of the job store.",
        example="mysql://cleanup:${AUDIT_PASSWORD}@db/audit",
    )
    password_file: str | None = key(
        values.PATH,
        "File that has the password of the URL and nothing else.",
        default=None,
        otherwise="none",
        shown=False,
        example="/etc/cleanupctl/engine.password",
    )
    """Read already: `url` has the password."""
    replica_url: DatabaseUrl | None = key(
        values.URL,
        "A MySQL or MariaDB replica of this history, for max_replica_lag. Where it names no user, user and"
        " password are those of url. The login needs the privilege to see the replica's status.",
        default=None,
        otherwise="none",
        example="mysql://db-replica/audit",
    )
    timezone: ZoneInfo = key(
        values.ZONE,
        "Zone of the wall clock that wrote the rows.",
        otherwise="timezone at the top",
        example="Europe/Berlin",
    )
    schema: str | None = key(
        values.TEXT,
        "Schema of the tables.",
        default=None,
        otherwise="the database's default",
        example="engine",
    )


@record(kw_only=True)
class BatchTtls:
    """The [history.batch_ttl] table."""

    default: int | None = key(
        values.TIME_TO_LIVE,
        "Days for every type that is not named.",
        default=None,
        otherwise="kept for ever",
        example="P30D",
    )
    by_type: Mapping[str, int | None] = other_keys(
        values.TIME_TO_LIVE_OR_NONE,
        f"Days for one type of batch operation: {', '.join(BATCH_TYPES)}, or one of your own.",
        name="TYPE",
        otherwise="default",
        example="P7D",
        known=BATCH_TYPES,
        default_factory=dict,
    )


@record(kw_only=True)
class WithoutInstanceTtls:
    """The [history.without_instance_ttl] table."""

    tasks: int | None = key(
        values.TIME_TO_LIVE,
        "Days for tasks that belong to no process and no case, counted from their end, with their comments,"
        " attachments, variables, identity links, operations and permissions.",
        default=None,
        otherwise="kept for ever",
        example="P365D",
    )
    job_log: int | None = key(
        values.TIME_TO_LIVE,
        "Days for job log entries of no instance and no batch operation, such as those of timer start events."
        " Those of the engine's own cleanup have cleanup_log_ttl.",
        default=None,
        otherwise="kept for ever",
        example="P90D",
    )
    operation_log: int | None = key(
        values.TIME_TO_LIVE,
        "Days for entries of the operators' log that belong to no instance, task, deployment or batch"
        " operation.",
        default=None,
        otherwise="kept for ever",
        example="P3650D",
    )
    incidents: int | None = key(
        values.TIME_TO_LIVE,
        "Days for incidents of no instance and no batch operation, counted from when they were closed.",
        default=None,
        otherwise="kept for ever",
        example="P90D",
    )


@record()
class TtlOverride:
    """One [[history.ttl]]: the time to live of definitions, whatever the engine has for them."""

    key: str = declaration.key(values.TEXT, "Key of the definition, in every version.", example="invoice")
    ttl: int | None = declaration.key(
        values.TIME_TO_LIVE_OR_NONE,
        'Days that count in place of the definition\'s own; "none" keeps its history for ever, and with it'
        " the whole hierarchy in which it was called or evaluated, as that is deleted as a whole (unless"
        ' hierarchy = "engine").',
        example="P90D",
    )
    tenant: str | None = declaration.key(
        values.TEXT,
        "Tenant of the definition; an override that names it comes before one that does not.",
        default=None,
        otherwise="every tenant, and none",
        example="north",
    )
    kind: DefinitionKind | None = declaration.key(
        values.choice(DefinitionKind),
        "Kind of the definition.",
        default=None,
        otherwise="every kind",
        example="process",
    )


@record(kw_only=True)
class CamundaSettings(HistorySettings):
    """A [[history]] of kind `camunda`: the database of a process engine."""

    kind: Literal["camunda"] = field(default="camunda", init=False)
    table_prefix: str = key(
        values.OPTIONAL_TEXT,
        "What the engine's table names begin with (its databaseTablePrefix), a schema included: SCHEMA.PRE_.",
        default="",
        example="PROD_",
    )
    """Without its schema, which is in `schema` then."""
    strategy: Strategy = key(
        values.choice(Strategy),
        "What makes the rows of this engine expire.",
        default="removal-time",
        otherwise="strategy of [cleanup]",
        example="removal-time",
    )
    include_unfinished: bool = key(
        values.BOOLEAN,
        "Whether instances that have not ended are removed too, when their removal time is past. Otherwise"
        " nothing of a call hierarchy goes, nor of what calls it or is called by it through cases, while any"
        " of that has not ended.",
        default=False,
        example=False,
    )
    task_metrics_ttl: int | None = key(
        values.TIME_TO_LIVE,
        "Days that the engine's task metrics are kept.",
        default=None,
        otherwise="kept for ever",
        example="P540D",
    )
    cleanup_log_ttl: int | None = key(
        values.TIME_TO_LIVE,
        "Days that job log entries of the engine's own history cleanup are kept, counted from when they were"
        " written.",
        default=None,
        otherwise="left to the engine",
        example="P30D",
    )
    default_ttl: int | None = key(
        values.TIME_TO_LIVE,
        "Days for definitions that have no time to live in the engine, and for those that it no longer has;"
        " counts under the end-time strategy, and when removal times are calculated.",
        default=None,
        otherwise="kept for ever",
        example="P365D",
    )
    hierarchy: Hierarchy = key(
        values.choice(Hierarchy),
        'What the end-time strategy asks: with "root" a call hierarchy is deleted as a whole, by the end and'
        ' the time to live of its root; with "engine" each instance by its own, as the engine does it.',
        default="root",
        example="root",
    )
    cascade: Cascade = key(
        values.choice(Cascade),
        "What happens where foreign keys of your own tables would delete or change their rows along with the"
        ' engine\'s: "refuse" leaves the table alone that they point at, with "allow" these rows go along,'
        " and are counted. What a trigger or a rule deletes or changes goes likewise, and is not counted.",
        default="refuse",
        example="allow",
    )
    batch_ttl: BatchTtls = table(
        BatchTtls,
        'Times to live of batch operations by their type, for the history above it, of kind "camunda". They'
        " count under the end-time strategy; otherwise the removal time does, which the engine has written.",
        default_factory=BatchTtls,
    )
    without_instance_ttl: WithoutInstanceTtls = table(
        WithoutInstanceTtls,
        'Times to live of history that belongs to no instance, for the history above it, of kind "camunda".'
        " They count under both strategies; a row that has a removal time keeps that.",
        default_factory=WithoutInstanceTtls,
    )
    ttls: tuple[TtlOverride, ...] = tables(
        TtlOverride,
        'The time to live of a definition, of the history above it, of kind "camunda"; may be repeated.'
        " It counts in place of the one that the engine has, under the end-time strategy and when removal"
        " times are calculated.",
        name="ttl",
        default=(),
    )


@record()
class TableSettings:
    """One table of a history of kind `tables`."""

    name: str = key(values.TEXT, "Name of the table.", example="audit_event")
    time_column: str = key(
        values.TEXT, "Column that has the time from which the time to live counts.", example="created_at"
    )
    ttl: int = key(
        values.TIME_TO_LIVE,
        "Days that a row is kept; 0 removes it as soon as its time is past.",
        example="P90D",
    )
    schema: str | None = key(
        values.TEXT,
        "Schema of the table.",
        default=None,
        otherwise="schema of the history",
        example="audit",
    )
    time_format: TimeFormat | None = key(
        values.choice(TimeFormat),
        "What the time column has: timestamps, or numbers that count seconds, milliseconds, microseconds or"
        " days since 1970, or Julian days. A column of numbers needs it: no unit is guessed.",
        default=None,
        otherwise="timestamps, by the column's type",
        example="milliseconds",
    )
    unset_time: UnsetTime = key(
        values.choice(UnsetTime),
        "What happens to rows whose time was never set: NULL, 0, a zero date, minus infinity, and whatever"
        ' else lies before 2 January 1980. With "keep-zero" such early times are real ones, as archives have'
        ' them, and only NULL, 0, zero dates and what lies before Christ is kept; with "expired" all of it'
        " counts as expired.",
        default="keep",
        example="keep",
    )
    implausible_times: ImplausibleTimes = key(
        values.choice(ImplausibleTimes),
        "What happens to a table whose newest row is, as the time column is read, 20 years old or more, or"
        " would be from today in another unit. To allow it is for tables that are really that old.",
        default="refuse",
        example="refuse",
    )
    cascade: Cascade = key(
        values.choice(Cascade),
        'What happens where foreign keys would delete or change rows of other tables too: "refuse" leaves the'
        ' table alone, with "allow" these rows go along, and are counted. What a trigger or a rule is seen to'
        " delete or change goes likewise, and is not counted. On MySQL and MariaDB a login with"
        " rights on single tables cannot see who points at them, so its tables are left alone too: any"
        " privilege in the whole database shows all foreign keys in it, PROCESS those of others too.",
        default="refuse",
        example="allow",
    )


@record(kw_only=True)
class TablesSettings(HistorySettings):
    """A [[history]] of kind `tables`: tables that are named one by one."""

    kind: Literal["tables"] = field(default="tables", init=False)
    tables: tuple[TableSettings, ...] = tables(
        TableSettings,
        'A table of the history above it, of kind "tables"; may be repeated.',
        name="table",
        needed=True,
        default=(),
    )


HISTORY_KINDS: dict[HistoryKind, type[HistorySettings]] = {
    "camunda": CamundaSettings,
    "tables": TablesSettings,
}
"""The settings class of each kind; what plans and checks a kind is in `cleanupctl.history.kinds`."""
