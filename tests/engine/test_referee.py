"""The real engine as referee: after its own cleanup and after cleanupctl the same rows are left."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.referee.databases import disagreements, ids
from tests.support.referee.differences import deleted, kept
from tests.support.referee.laboratory import NOW, Experiment

if TYPE_CHECKING:
    from tests.support.referee.laboratory import Laboratory

EXPERIMENTS = [
    Experiment(engine, server, removal)
    for engine, server in itertools.product(("camunda", "operaton"), ("postgresql", "mariadb"))
    for removal in ("end", "start")
] + [Experiment("cibseven", "postgresql", "end")]

QUERIES = {
    "createHistoricProcessInstanceQuery": "ACT_HI_PROCINST",
    "createHistoricActivityInstanceQuery": "ACT_HI_ACTINST",
    "createHistoricTaskInstanceQuery": "ACT_HI_TASKINST",
    "createHistoricVariableInstanceQuery": "ACT_HI_VARINST",
    "createHistoricDetailQuery": "ACT_HI_DETAIL",
    "createHistoricIncidentQuery": "ACT_HI_INCIDENT",
    "createHistoricExternalTaskLogQuery": "ACT_HI_EXT_TASK_LOG",
    "createHistoricJobLogQuery": "ACT_HI_JOB_LOG",
    "createUserOperationLogQuery": "ACT_HI_OP_LOG",
    "createHistoricIdentityLinkLogQuery": "ACT_HI_IDENTITYLINK",
    "createHistoricDecisionInstanceQuery": "ACT_HI_DECINST",
    "createHistoricBatchQuery": "ACT_HI_BATCH",
    "createHistoricCaseInstanceQuery": "ACT_HI_CASEINST",
    "createHistoricCaseActivityInstanceQuery": "ACT_HI_CASEACTINST",
}

every_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=str)


@every_experiment
def test_every_table_of_the_history_is_filled(laboratory: Laboratory, experiment: Experiment) -> None:
    before = laboratory.before(laboratory.original(experiment))
    assert not [table for table, found in before.items() if not found]


@every_experiment
def test_cleanupctl_leaves_what_the_engine_leaves(laboratory: Laboratory, experiment: Experiment) -> None:
    original = laboratory.original(experiment)
    before = laboratory.before(original)
    by_engine, by_us = laboratory.by_engine(experiment).left, laboratory.by_cleanupctl(experiment).left
    laboratory.results[str(experiment)] = (before, by_engine, by_us)
    expected = dict(by_engine)
    for reason, tables in kept(experiment, original).items():
        differing = {table: found - by_engine[table] for table, found in tables.items()}
        assert any(differing.values()), f"nothing to see for the difference: {reason}"
        for table, found in differing.items():
            expected[table] |= found
    for reason, tables in deleted(experiment, original).items():
        for table, found in tables.items():
            assert found & by_engine[table], f"nothing to see for the difference: {reason}"
            expected[table] -= found
    assert not disagreements(by_us, expected)


@every_experiment
def test_the_engine_goes_on_after_cleanupctl(laboratory: Laboratory, experiment: Experiment) -> None:
    original, url = laboratory.original(experiment), laboratory.by_cleanupctl(experiment).url
    with laboratory.engine(experiment, url) as engine:
        answers = engine("query", now=NOW.isoformat())
        rows = ids(url)
        assert {name: answers[name] for name in QUERIES} == {
            name: len(rows[table]) for name, table in QUERIES.items()
        }
        assert answers["brokenContents"] == 0
        assert engine("resume", now=NOW.isoformat()) == laboratory.running(original)
        assert engine("query", now=NOW.isoformat())["brokenContents"] == 0
        engine("cleanup", now=(NOW + timedelta(days=10)).isoformat())
        assert engine("query", now=NOW.isoformat())["brokenContents"] == 0
