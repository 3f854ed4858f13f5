"""The end-time strategy as a process: a dry run, a run, and what is left of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.support.camunda.data import fill
from tests.support.camunda.end_time import Policy, all_rows, without

if TYPE_CHECKING:
    from tests.support.command import Command


def of_engine(found: list[dict[str, Any]]) -> dict[str, int]:
    """Rows by table of the history called engine."""
    return {one["table"].upper(): one["rows"] for one in found if one["history"] == "engine"}


def test_instances_go_by_the_times_to_live_of_definitions_and_configuration(
    cleanupctl: Command, engine_url: str
) -> None:
    now = datetime.now(UTC)
    # What expires at that moment or a second later has done so by now, the rest is days away from it.
    earlier = now - timedelta(minutes=10)
    fill(engine_url, expired_instances=30, unexpired_instances=30, now=earlier, interleaved=True, orphans=0)
    cleanupctl.configure(
        f"""\
timezone = "UTC"
[cleanup]
strategy = "end-time"
[[history]]
name = "engine"
kind = "camunda"
url = "{engine_url}"
[history.batch_ttl]
default = "P30D"
[[history.ttl]]
key = "archive"
ttl = "P100D"
"""
    )
    before = all_rows(engine_url)
    types = {row["TYPE_"] for row in before["ACT_HI_BATCH"].values()}
    expected = Policy(before, now, ttls={"archive": 100}, batch_ttls=dict.fromkeys(types, 30)).expected()
    counted = {table: len(ids) for table, ids in expected.items()}

    dry = cleanupctl("run", "--dry-run", "--json")
    assert of_engine(dry.data["expired"]) == counted
    assert cleanupctl("schedule").code == 0
    done = cleanupctl("run", "--json")
    assert done.code == 0
    assert of_engine(done.data["removed"]) == counted
    assert "they have no time to live (legacy)" in done.err
    assert all_rows(engine_url) == without(before, expected)
