"""The end-time strategy on what real engines wrote: the engine's own rules, and those of cleanupctl."""

from __future__ import annotations

import itertools
from datetime import UTC
from typing import TYPE_CHECKING, Literal

import pytest

from cleanupctl.core.run.cleaning import Failed
from cleanupctl.core.settings import BatchTtls, CamundaSettings, CleanupSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.kinds import history
from tests.support.camunda.end_time import Policy, all_rows
from tests.support.limits import TestLimits
from tests.support.referee.databases import disagreements
from tests.support.referee.expired import (
    expired,
    expired_rows,
    expired_trees,
    instances,
    midnights,
    whole_days,
)
from tests.support.referee.laboratory import NOW, ZONE, Experiment

if TYPE_CHECKING:
    from tests.support.referee.laboratory import Laboratory

# PostgreSQL counts whole days, MariaDB the midnights in between.
BATCH_DAYS = {"instance-migration": 10, "set-variables": 365}
RULES = {"postgresql": whole_days, "mariadb": midnights}

every_place = pytest.mark.parametrize(
    "experiment",
    [Experiment(*place, "end", "end-time") for place in itertools.product(("camunda", "operaton"), RULES)],
    ids=str,
)


@every_place
def test_the_engine_judges_each_instance_on_its_own(laboratory: Laboratory, experiment: Experiment) -> None:
    original = laboratory.original(experiment)
    before, left = laboratory.before(original), laboratory.by_engine(experiment).left
    removed = before["ACT_HI_PROCINST"] - left["ACT_HI_PROCINST"]
    found = instances(original)
    assert removed == expired(found, RULES[experiment.server])
    # so it tears hierarchies apart, both ways
    trees = expired_trees(found)
    assert removed - trees
    assert trees - removed


@every_place
def test_what_belongs_to_an_instance_goes_but_the_operation_log_stays(
    laboratory: Laboratory, experiment: Experiment
) -> None:
    original = laboratory.original(experiment)
    before, left = laboratory.before(original), laboratory.by_engine(experiment).left
    rule = RULES[experiment.server]
    predicted = expired_rows(original, expired(instances(original), rule), rule)
    removed = {table: before[table] - left[table] for table in before}
    assert not disagreements(removed, predicted)
    assert not removed["ACT_HI_OP_LOG"]


@every_place
@pytest.mark.parametrize("hierarchy", ["root", "engine"])
def test_cleanupctl_removes_what_its_own_policy_says(
    laboratory: Laboratory, experiment: Experiment, hierarchy: Literal["root", "engine"]
) -> None:
    url = laboratory.copy(experiment)
    configured = CamundaSettings(
        name="engine",
        url=parse_url(url),
        timezone=ZONE,
        strategy="end-time",
        hierarchy=hierarchy,
        batch_ttl=BatchTtls(default=5, by_type=BATCH_DAYS),
    )
    before = all_rows(url)
    types = {row["TYPE_"] for row in before["ACT_HI_BATCH"].values()}
    policy = Policy(
        before, NOW, zone=ZONE.key, hierarchy=hierarchy, batch_ttls=dict.fromkeys(types, 5) | BATCH_DAYS
    )
    with history(configured, CleanupSettings()).open() as session:
        events = list(session.clean(NOW.astimezone(UTC), TestLimits()))
    assert not [event for event in events if isinstance(event, Failed)]
    expected = policy.expected()
    after = all_rows(url)
    wrong = {
        table: {"too many": left.keys() & gone, "missing": rows.keys() - gone - left.keys()}
        for table, rows in before.items()
        for left, gone in ((after[table], expected.get(table, set())),)
        if left.keys() != rows.keys() - gone
    }
    assert wrong == {}
    assert {"ACT_HI_PROCINST", "ACT_HI_CASEINST", "ACT_HI_BATCH", "ACT_HI_OP_LOG"} <= set(expected)
    with laboratory.engine(experiment, url) as engine:
        assert engine("query", now=NOW.isoformat())["brokenContents"] == 0
