"""What remains of a run: it says that nothing is left only where that is so."""

from __future__ import annotations

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.run.cleaning import Event, Failed, Left, Noticed, TableFinished
from cleanupctl.core.run.events import FINISHED, MAX_ROWS, OUTSIDE_WINDOW, RunTotals


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Failed("engine", "ACT_HI_OP_LOG", HistoryError("no")), "not all could be cleaned"),
        (Failed("engine", None, HistoryError("away")), "not all could be cleaned"),
        (Left("engine", "other sessions hold rows"), "rows stay that others held"),
        (TableFinished("shop", "orders", 7, 2, "2 rows are still referenced from lines"), "still needed"),
    ],
)
def test_what_is_left_is_said(event: Event, words: str) -> None:
    totals = RunTotals(stop_reasons={FINISHED})
    totals.add(event)
    assert totals.incomplete
    (reason,) = totals.reasons_left
    assert words in reason


@pytest.mark.parametrize("event", [Noticed("engine", "by the way"), TableFinished("shop", "orders", 7)])
def test_nothing_is_left_of_what_is_finished(event: Event) -> None:
    totals = RunTotals(stop_reasons={FINISHED})
    totals.add(event)
    assert not totals.incomplete


def test_a_closed_window_and_a_limit_leave_what_is_there() -> None:
    assert RunTotals(stop_reasons={OUTSIDE_WINDOW}).reasons_left == ("the batch window is closed",)
    assert RunTotals(stop_reasons={FINISHED, MAX_ROWS}).reasons_left == ("stopped by max-rows",)
