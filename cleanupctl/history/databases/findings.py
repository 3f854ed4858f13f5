"""What is wrong with a history's database: findings, and the outcome of checking one history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from cleanupctl.core.times import span

Severity = Literal["error", "warning", "hint"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that keeps cleanup from working (error), makes it worse (warning), or is good to know."""

    severity: Severity
    table: str | None
    message: str
    remedy: str | None = None
    """What to do about it; often a statement to run."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of checking one history."""

    history: str
    schema_version: str | None
    """Of an engine's tables; None when unknown or not an engine."""
    findings: tuple[Finding, ...]
    reachable: bool = True
    """False when the database could not be asked, so that the findings say only why."""

    @property
    def failed(self) -> bool:
        """Whether some finding is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def long_transaction(who: str, seconds: int, end: str) -> Finding:
    """Return the finding that another session's transaction is long open, with the statement that ends it."""
    return Finding(
        "warning",
        None,
        f"{who} has had a transaction open for {span(timedelta(seconds=int(seconds)))}: deleted rows stay in"
        " the tables until it ends, and every batch has to step over them",
        f"end it if nobody needs it: {end};",
    )
