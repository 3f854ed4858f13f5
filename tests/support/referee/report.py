"""The rows of every table before and after, as a Markdown table for each experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.referee.databases import HISTORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.referee.databases import Ids

REPORT = "CLEANUPCTL_ENGINE_REPORT"
"""Environment variable: path of a file to which the tables are written."""


def report(found: Mapping[str, tuple[Ids, Ids, Ids]]) -> str:
    """Tables of row counts: before, after the engine's own cleanup, after cleanupctl."""
    parts = []
    for title, columns in found.items():
        lines = [f"### {title}", "", "| table | before | engine | cleanupctl |", "|---|---:|---:|---:|"]
        for table in HISTORY:
            lines.append(" | ".join([f"| {table}", *(str(len(ids[table])) for ids in columns)]) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
