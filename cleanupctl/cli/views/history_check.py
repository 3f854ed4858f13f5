"""What `history check` found: as JSON, and in sentences with their remedies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.cli.output import Output
    from cleanupctl.history.databases.findings import Checked, Finding


def show_checked(output: Output, checked: Sequence[Checked]) -> None:
    """Write what was found in each history."""
    if output.json:
        output.data([checked_object(one) for one in checked])
        return
    for one in checked:
        _show(output, one)


def checked_object(checked: Checked) -> dict[str, Any]:
    """Return the findings of one history."""
    return {
        "history": checked.history,
        "reachable": checked.reachable,
        "schemaVersion": checked.schema_version,
        "findings": [
            {"severity": one.severity, "table": one.table, "message": one.message, "remedy": one.remedy}
            for one in checked.findings
        ],
    }


def _show(output: Output, checked: Checked) -> None:
    version = f" (schema version {checked.schema_version})" if checked.schema_version else ""
    if not checked.findings:
        output.text(f"{checked.history}{version}: nothing found, everything is as it should be")
        return
    output.text(f"{checked.history}{version}:")
    for finding in checked.findings:
        output.paragraph(_sentence(finding), 2)
        if finding.remedy:
            output.text(f"      {finding.remedy}")


def _sentence(finding: Finding) -> str:
    place = f"{finding.table}: " if finding.table else ""
    return f"{finding.severity}: {place}{finding.message}"
