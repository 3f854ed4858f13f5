"""Orphans that were counted or removed: as JSON, and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cleanupctl.cli.output import Output
    from cleanupctl.history.camunda.repair.orphans import Found


def show_orphans(output: Output, found: Mapping[str, Sequence[Found]], *, deleted: bool) -> None:
    """Write what was found by history, and whether it was deleted."""
    if output.json:
        output.data(
            [
                {
                    "history": history,
                    "deleted": deleted,
                    "orphans": [{"table": f.table, "cause": f.reason, "rows": f.rows} for f in listed],
                }
                for history, listed in found.items()
            ]
        )
        return
    rows = [
        (history, f.table, f.reason, f"{f.rows:,}") for history in found for f in found[history] if f.rows
    ]
    if rows:
        heading = "DELETED" if deleted else "ROWS"
        output.table(("HISTORY", "TABLE", "CAUSE", heading), rows, right=(heading,))
        if not deleted:
            output.notice("nothing was deleted; --delete removes them")
    elif found:
        output.text("no orphans")
