"""Limits for tests of cleaning: none at all, or as many rows or batches as the test says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class TestLimits:
    """Stops after `batches` reservations, and lets `rows` rows go at most."""

    __test__ = False
    rows: int | None = None
    batches: int | None = None
    pauses: int = 0

    def stop_reason(self) -> str | None:
        if self.batches is None:
            return None
        self.batches -= 1
        return "signal" if self.batches < 0 else None

    def reserve(self, rows: int) -> int:
        if self.rows is None:
            return rows
        granted = min(rows, self.rows)
        self.rows -= granted
        return granted

    def settle(self, reserved: int, deleted: int) -> None:
        if self.rows is not None:
            self.rows += reserved - deleted

    def pause(self, seconds: float) -> None:
        self.pauses += 1
