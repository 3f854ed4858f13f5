"""Limits for tests of cleaning: none at all, or as many rows or batches as the test says."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class TestLimits:
    """Stops after `batches` reservations, and lets `rows` rows go at most."""

    __test__ = False
    rows: int | None = None
    batches: int | None = None
    pauses: int = 0
    sizes: dict[tuple[str, str], int | None] = field(default_factory=dict)

    def stop_reason(self) -> str | None:
        if self.batches is None:
            return None
        self.batches -= 1
        return "signal" if self.batches < 0 else None

    def reserve(self, rows: int) -> int:
        if self.rows is None:
            return rows
        granted = max(0, min(rows, self.rows))
        self.rows -= granted
        return granted

    def settle(self, reserved: int, deleted: int) -> None:
        if self.rows is not None:
            self.rows += reserved - deleted

    def pause(self, seconds: float) -> None:
        self.pauses += 1

    def remembered(self, history: str, table: str) -> int | None:
        return self.sizes.get((history, table))

    def remember(self, history: str, table: str, units: int | None) -> None:
        self.sizes[history, table] = units
