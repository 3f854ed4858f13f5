"""Removal times that were set, or would be: as JSON, and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

    from cleanupctl.cli.output import Output
    from cleanupctl.history.camunda.repair.removal_time_changes import Selected


def show_changes(
    output: Output, history: str, changed: Counter[str], selected: Selected, *, dry_run: bool
) -> None:
    """Write how many rows of each table were changed, and of how many instances."""
    if output.json:
        rows = [{"table": table, "rows": number} for table, number in sorted(changed.items())]
        output.data(
            {
                "history": history,
                "dryRun": dry_run,
                "instances": selected.instances,
                "skipped": selected.skipped,
                "changed": rows,
            }
        )
    elif changed:
        heading = "ROWS THAT WOULD CHANGE" if dry_run else "ROWS CHANGED"
        output.table(
            ("TABLE", heading),
            ((table, f"{number:,}") for table, number in sorted(changed.items())),
            right=(heading,),
        )
    output.notice(
        f"{selected.instances:,} instances selected, {changed.total():,} rows"
        f" {'would change; this is a dry run' if dry_run else 'changed'}"
    )
    if selected.skipped:
        output.notice(
            f"{selected.skipped} instances left alone: their root is gone; try without --hierarchical"
        )
