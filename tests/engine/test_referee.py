"""The real engine as referee: after its own cleanup and after cleanupctl the same rows are left."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.engine.laboratory import Experiment

if TYPE_CHECKING:
    from tests.engine.laboratory import Laboratory

PLACES = list(itertools.product(("camunda", "operaton"), ("postgresql", "mariadb")))
EXPERIMENTS = [Experiment(*place, removal) for place in PLACES for removal in ("end",)]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=str)
def test_every_table_of_the_history_is_filled(laboratory: Laboratory, experiment: Experiment) -> None:
    before = laboratory.before(laboratory.original(experiment))
    assert not [table for table, found in before.items() if not found]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=str)
def test_cleanupctl_leaves_what_the_engine_leaves(laboratory: Laboratory, experiment: Experiment) -> None:
    engine, ours = laboratory.by_engine(experiment).left, laboratory.by_cleanupctl(experiment).left
    assert engine == ours
