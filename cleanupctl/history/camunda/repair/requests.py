"""What is asked of a change of removal times: which instances, and which value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cleanupctl.core.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["process", "decision", "batch"]


@dataclass(frozen=True, slots=True)
class InstanceFilter:
    """Which instances are meant; all conditions have to hold. Times are aware."""

    kind: Kind = "process"
    ids: tuple[str, ...] = ()
    definition_key: str | None = None
    """For batches the type of the operation."""
    tenant: str | None = None
    finished_after: datetime | None = None
    finished_before: datetime | None = None
    without: bool = False
    """Only instances that have no removal time."""
    everything: bool = False
    """Says that no condition is on purpose."""

    def check(self) -> None:
        """Refuse a selection without any condition. Raises InvalidValueError."""
        conditions = (self.ids, self.definition_key, self.tenant, self.finished_after, self.finished_before)
        if not any(conditions) and not self.without and not self.everything:
            raise InvalidValueError(
                "no instance is selected: give ids, --definition-key, --tenant, --finished-after,"
                " --finished-before or --without; --all means every instance"
            )


@dataclass(frozen=True, slots=True)
class Absolute:
    """The removal time to set (aware); None clears it."""

    time: datetime | None


@dataclass(frozen=True, slots=True)
class Calculated:
    """The start or the end of the instance plus the time to live that its definition has now."""

    base: Literal["start", "end"] = "end"
