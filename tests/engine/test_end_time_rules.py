"""What the engine's own end-time strategy removes: the rules that the strategy of cleanupctl is held to."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.engine.databases import disagreements
from tests.engine.expired import expired, expired_rows, expired_trees, instances, midnights, whole_days
from tests.engine.laboratory import Experiment

if TYPE_CHECKING:
    from tests.engine.laboratory import Laboratory

# PostgreSQL counts whole days, MariaDB the midnights in between.
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
