"""Task metrics expire by calendar days of the history's zone, whatever the strategy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.settings import CamundaSettings, CleanupSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.report.report import full_report
from cleanupctl.history.kinds import history
from tests.support.limits import TestLimits
from tests.support.servers import connect

if TYPE_CHECKING:
    from cleanupctl.core.settings import Strategy

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("strategy", ["removal-time", "end-time"])
@pytest.mark.parametrize(
    ("now", "expired", "kept"),
    [
        # The day had 23 hours: 24 before noon it was eleven.
        ("2024-03-31 12:00", ["2024-03-30 11:30", "2024-03-30 12:00"], ["2024-03-30 12:01"]),
        # The day had 25 hours: 24 before noon it was one in the afternoon.
        ("2024-10-27 12:00", ["2024-10-26 11:30", "2024-10-26 12:00"], ["2024-10-26 12:01"]),
    ],
)  # fmt: skip
def test_a_day_with_a_change_of_clocks_is_a_day(
    engine_url: str, strategy: Strategy, now: str, expired: list[str], kept: list[str]
) -> None:
    with connect(engine_url) as connection, connection.cursor() as cursor:
        for number, moment in enumerate((*expired, *kept)):
            cursor.execute(
                f"INSERT INTO ACT_RU_TASK_METER_LOG (ID_, TIMESTAMP_) VALUES ('{number}', '{moment}')"
            )
    settings = CamundaSettings(
        name="engine", url=parse_url(engine_url), timezone=BERLIN, strategy=strategy, task_metrics_ttl=1
    )
    instant = datetime.fromisoformat(now).replace(tzinfo=BERLIN).astimezone(UTC)
    (size,) = (
        one
        for one in full_report(settings, instant, exact=True).sizes
        if one.table.upper() == "ACT_RU_TASK_METER_LOG"
    )
    with history(settings, CleanupSettings()).open() as session:
        list(session.clean(instant, TestLimits()))

    with connect(engine_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT TIMESTAMP_ FROM ACT_RU_TASK_METER_LOG ORDER BY TIMESTAMP_")
        left = [f"{moment:%Y-%m-%d %H:%M}" for (moment,) in cursor.fetchall()]
    assert (left, size.expired) == (kept, len(expired))
