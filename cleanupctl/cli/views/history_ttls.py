"""Times to live of definitions, and changes of them: as JSON, and as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanupctl.cli.views.history_report import drop_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.cli.output import Output
    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.strategies.ttl import EffectiveTtl


@dataclass(frozen=True, slots=True)
class TtlLine:
    """What has a time to live: a definition, a type of batch operations, task metrics or the cleanup log."""

    kind: str
    key: str | None
    ttl: EffectiveTtl
    definition: Definition | None = None

    @property
    def version(self) -> int | None:
        """Return the version of a definition."""
        return self.definition.version if self.definition else None

    @property
    def tenant(self) -> str | None:
        """Return the tenant of a definition."""
        return self.definition.tenant if self.definition else None


def show_ttls(output: Output, found: Sequence[tuple[CamundaSettings, TtlLine]]) -> None:
    """Write each time to live with where it comes from."""
    if output.json:
        output.data([_object(one.name, line) for one, line in found])
        return
    rows = [
        (one.name, line.kind, line.key, line.version, line.tenant, in_words(line.ttl.days), _source(line))
        for one, line in found
    ]
    headings = ("HISTORY", "KIND", "KEY", "VERSION", "TENANT", "TTL", "FROM")
    if not any(line.tenant for _, line in found):
        headings, rows = drop_column(headings, 4), [drop_column(row, 4) for row in rows]
    if len({one.name for one, _ in found}) == 1:
        headings, rows = drop_column(headings, 0), [drop_column(row, 0) for row in rows]
    output.table(headings, rows, right=("VERSION",))
    for history in {one.name: one for one, line in found if _ineffective(one, line)}.values():
        output.notice(
            f"history {history.name}: under the removal-time strategy what its configuration says of"
            " definitions and batches counts for set-removal-time --calculate only; the engine writes removal"
            " times by its own settings"
        )


def show_ttl_change(
    output: Output, history: str, days: int | None, meant: Sequence[Definition], *, dry_run: bool
) -> None:
    """Write the definitions that were changed, or would be."""
    if output.json:
        output.data(_changes(history, days, meant, dry_run=dry_run))
        return
    output.table(
        ("KIND", "KEY", "VERSION", "TENANT", "BEFORE", "WOULD BE" if dry_run else "NOW"),
        ((d.kind, d.key, d.version, d.tenant, in_words(d.ttl), in_words(days)) for d in meant),
        right=("VERSION",),
    )
    if dry_run:
        output.notice("nothing was changed: this is a dry run")


def _source(line: TtlLine) -> str:
    """Name the column or the key of the configuration, as an operator would look for it."""
    if line.ttl.source == "none":
        return "nothing"
    if line.ttl.source == "definition":
        return "HISTORY_TTL_"
    default = line.ttl.source == "default"
    keys = {
        "batch": "batch_ttl",
        "task-metrics": "task_metrics_ttl",
        "cleanup-log": "cleanup_log_ttl",
        "without-instance": "without_instance_ttl",
    }
    if line.kind == "batch" and default:
        return "batch_ttl default"
    return keys.get(line.kind, "default_ttl" if default else "[[history.ttl]]")


def _ineffective(history: CamundaSettings, line: TtlLine) -> bool:
    engines = line.definition is not None or line.kind == "batch"
    if not engines or line.ttl.source not in ("override", "default"):
        return False
    from cleanupctl.history.camunda.strategies.registry import strategy_of

    return not strategy_of(history).by_instance


def _object(history: str, line: TtlLine) -> dict[str, Any]:
    one = line.definition
    return {
        "history": history,
        "kind": line.kind,
        "id": one.id if one else None,
        "key": line.key,
        "name": one.name if one else None,
        "version": line.version,
        "tenantId": line.tenant,
        "historyTimeToLive": line.ttl.days,
        "source": line.ttl.source,
    }


def in_words(ttl: int | None) -> str:
    """Write days as the engine takes them."""
    return "none" if ttl is None else f"P{ttl}D"


def _changes(history: str, ttl: int | None, meant: Sequence[Definition], *, dry_run: bool) -> dict[str, Any]:
    return {
        "history": history,
        "historyTimeToLive": ttl,
        "dryRun": dry_run,
        "definitions": [
            {
                "kind": one.kind,
                "id": one.id,
                "key": one.key,
                "version": one.version,
                "tenantId": one.tenant,
                "previousHistoryTimeToLive": one.ttl,
            }
            for one in meant
        ],
    }
