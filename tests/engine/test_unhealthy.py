"""Histories that are not whole, made by the real engine: no more is deleted than the policy says.

A caller was deleted without what it called, operators' batches were ended before all rows had their removal
times, definitions were deleted without their history, one of two tenants was, and the engine commits what
it has written while a run is on its way.
"""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.run.cleaning import Failed
from cleanupctl.core.settings import CamundaSettings, CleanupSettings, TtlOverride
from cleanupctl.core.urls import parse_url
from cleanupctl.history.kinds import history
from tests.support.camunda.end_time import Policy, all_rows
from tests.support.limits import TestLimits
from tests.support.referee.laboratory import NOW, ZONE, Experiment
from tests.support.referee.unhealthy import expired_by_removal_time, of_tree, running_trees
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.camunda.end_time import Rows
    from tests.support.referee.laboratory import Laboratory

every_place = pytest.mark.parametrize(
    "experiment",
    [Experiment(*place) for place in itertools.product(("camunda", "operaton"), ("postgresql", "mariadb"))],
    ids=str,
)


class Meanwhile(TestLimits):
    """Does something once, when a run has deleted its first rows or waits: it has looked around by then."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__()
        self._act: Callable[[], Any] | None = act

    def settle(self, reserved: int, deleted: int) -> None:
        super().settle(reserved, deleted)
        if deleted:
            self._do()

    def pause(self, seconds: float) -> None:
        # What is held may be what the first rows have to be compared with.
        self._do()
        super().pause(seconds)

    def _do(self) -> None:
        act, self._act = self._act, None
        if act is not None:
            act()


def _clean(url: str, limits: TestLimits | None = None, **more: Any) -> None:
    configured = CamundaSettings(name="engine", url=parse_url(url), timezone=ZONE, **more)
    with history(configured, CleanupSettings()).open() as session:
        events = list(session.clean(NOW.astimezone(UTC), limits or TestLimits()))
    assert not [event for event in events if isinstance(event, Failed)]


def _deleted(before: Rows, after: Rows) -> dict[str, set[str]]:
    return {table: gone for table, rows in before.items() if (gone := rows.keys() - after[table].keys())}


def _wrong(
    deleted: Mapping[str, set[str]], expected: Mapping[str, set[str]]
) -> dict[str, dict[str, set[str]]]:
    tables = sorted({*deleted, *expected})
    pairs = {table: (deleted.get(table, set()), expected.get(table, set())) for table in tables}
    return {
        table: {"too many": ours - theirs, "too few": theirs - ours}
        for table, (ours, theirs) in pairs.items()
        if ours != theirs
    }


@every_place
def test_the_history_is_as_unhealthy_as_it_is_meant_to_be(
    laboratory: Laboratory, experiment: Experiment
) -> None:
    url, met = laboratory.copy_of_unhealthy(experiment)
    rows = all_rows(url)
    instances = rows["ACT_HI_PROCINST"]
    assert instances[met["detached"]]["END_TIME_"]
    assert {met["detached"], met["half dated"], met["late"]} == running_trees(rows)
    # The engine forgets who called what goes on, and that it has no end when it dates the tree.
    called = [
        row for one, row in instances.items() if one in of_tree(rows, met["detached"])["ACT_HI_PROCINST"]
    ]
    assert Counter((row["END_TIME_"] is None, row["REMOVAL_TIME_"] is None) for row in called) == {
        (False, False): 1,
        (True, False): 2,
    }
    for fate in ("half dated", "half dated and ended"):
        dated = {
            row["REMOVAL_TIME_"] is not None
            for table, found in of_tree(rows, met[fate]).items()
            for row in (rows[table][one] for one in found)
        }
        assert dated == {True, False}, fate
    definitions = rows["ACT_RE_PROCDEF"]
    kept = {fate for fate, one in met.items() if instances[one]["PROC_DEF_ID_"] in definitions}
    assert set(met) - kept == {"memo of north", "letter of south", "memo of south"}


@every_place
def test_by_removal_time_nothing_goes_of_a_tree_in_which_anything_runs(
    laboratory: Laboratory, experiment: Experiment
) -> None:
    url, met = laboratory.copy_of_unhealthy(experiment)
    before = all_rows(url)
    expected = expired_by_removal_time(before)
    assert {met["none"], met["memo of north"]} <= expected["ACT_HI_PROCINST"]
    _clean(url)
    assert _wrong(_deleted(before, all_rows(url)), expected) == {}


@every_place
@pytest.mark.parametrize("default", [None, 1])
def test_by_end_time_nothing_goes_of_such_a_tree_and_a_definition_that_is_gone_has_the_configured_days(
    laboratory: Laboratory, experiment: Experiment, default: int | None
) -> None:
    url, met = laboratory.copy_of_unhealthy(experiment)
    before = all_rows(url)
    days = {"letter": None}
    expected = Policy(before, NOW, zone=ZONE.key, default_ttl=default, ttls=days).expected()
    gone = {met["memo of north"], met["memo of south"]}
    assert met["none"] in expected["ACT_HI_PROCINST"]
    assert gone & expected["ACT_HI_PROCINST"] == (set() if default is None else gone)
    _clean(url, strategy="end-time", default_ttl=default, ttls=(TtlOverride("letter", None),))
    assert _wrong(_deleted(before, all_rows(url)), expected) == {}


@every_place
def test_the_engine_ends_what_still_runs_after_cleanupctl(
    laboratory: Laboratory, experiment: Experiment
) -> None:
    url, _ = laboratory.copy_of_unhealthy(experiment)
    running = laboratory.running(url)
    _clean(url)
    _clean(url, strategy="end-time")
    with laboratory.engine(experiment, url) as engine:
        assert engine("query", now=NOW.isoformat())["brokenContents"] == 0
        assert engine("end", now=NOW.isoformat()) == running
        assert engine("query", now=NOW.isoformat())["brokenContents"] == 0


@every_place
def test_a_running_tree_whose_removal_times_are_committed_during_a_run_stays(
    laboratory: Laboratory, experiment: Experiment
) -> None:
    url, met = laboratory.copy_of_unhealthy(experiment)
    with connect(url) as connection, connection.cursor() as cursor:
        # Nothing else tells that there are running trees with removal times.
        cursor.execute("UPDATE ACT_HI_PROCINST SET REMOVAL_TIME_ = NULL WHERE END_TIME_ IS NULL")
    before = all_rows(url)
    with laboratory.engine(experiment, url) as engine:
        past = NOW.replace(month=3).isoformat()
        engine("hold", now=NOW.isoformat(), removal=past, id=met["late"])
        _clean(url, Meanwhile(lambda: engine("release")))
    after = all_rows(url)
    dated = [row for row in after["ACT_HI_PROCINST"].values() if row["ID_"] == met["late"]]
    assert [row["REMOVAL_TIME_"] is not None for row in dated] == [True]
    lost = {
        table: ids - after[table].keys()
        for table, ids in of_tree(before, met["late"]).items()
        if ids - after[table].keys()
    }
    assert lost == {}
