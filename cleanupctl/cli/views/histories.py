"""The configured histories: as JSON, and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.settings import CamundaSettings, TablesSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.cli.output import Output
    from cleanupctl.core.settings import HistorySettings


def show_histories(output: Output, histories: Sequence[HistorySettings], none: str) -> None:
    """Write the histories; `none` is what people are told when there are none."""
    if output.json:
        output.data([history_object(history) for history in histories])
        return
    if not histories:
        output.notice(none)
        return
    output.table(
        ("NAME", "KIND", "URL", "TIME ZONE", "CLEANED"),
        (
            (history.name, history.kind, history.url, history.timezone, cleaned(history))
            for history in histories
        ),
    )


def history_object(history: HistorySettings) -> dict[str, Any]:
    """Return one configured history; its URL is shown without secrets."""
    shown: dict[str, Any] = {
        "name": history.name,
        "kind": history.kind,
        "url": str(history.url),
        "replicaUrl": None if history.replica_url is None else str(history.replica_url),
        "timezone": str(history.timezone),
        "schema": history.schema,
    }
    return shown | (_own_keys(history))


def cleaned(history: HistorySettings) -> str:
    """Say in a few words what is cleaned of a history."""
    if isinstance(history, TablesSettings):
        return ", ".join(f"{table.name} after P{table.ttl}D" for table in history.tables)
    return history.strategy if isinstance(history, CamundaSettings) else ""


def _own_keys(history: HistorySettings) -> dict[str, Any]:
    """Return the keys that only histories of its kind have."""
    if isinstance(history, CamundaSettings):
        return _engine_object(history)
    return _tables_object(history) if isinstance(history, TablesSettings) else {}


def _engine_object(history: CamundaSettings) -> dict[str, Any]:
    return {
        "tablePrefix": history.table_prefix,
        "strategy": history.strategy,
        "hierarchy": history.hierarchy,
        "includeUnfinished": history.include_unfinished,
        "defaultTimeToLive": history.default_ttl,
        "timesToLive": [
            {"key": one.key, "kind": one.kind, "tenantId": one.tenant, "timeToLive": one.ttl}
            for one in history.ttls
        ],
        "batchDefaultTimeToLive": history.batch_ttl.default,
        "batchTimesToLive": [
            {"batchType": type_, "timeToLive": days} for type_, days in history.batch_ttl.by_type.items()
        ],
        "taskMetricsTimeToLive": history.task_metrics_ttl,
        "cleanupLogTimeToLive": history.cleanup_log_ttl,
    }


def _tables_object(history: TablesSettings) -> dict[str, Any]:
    return {
        "tables": [
            {
                "name": table.name,
                "schema": table.schema,
                "timeColumn": table.time_column,
                "timeFormat": table.time_format,
                "timeToLive": table.ttl,
            }
            for table in history.tables
        ]
    }
