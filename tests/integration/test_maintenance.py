"""What a person does in a history keeps the limits of a run, and is in the job log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.job import LogEntry, LogState
from cleanupctl.core.jobs.schedule import Origin
from cleanupctl.core.run.cleaning import BatchCommitted, Failed, Noticed
from cleanupctl.core.run.events import JobProgress, Throttled
from cleanupctl.core.run.limits import RunEnvironment
from cleanupctl.core.run.maintenance import Maintenance
from cleanupctl.core.settings import CleanupSettings, Settings, ThrottleSettings
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from cleanupctl.core.windows.windows import BatchWindows
from cleanupctl.history.camunda.repair.orphans import OrphansPlanner
from cleanupctl.history.camunda.repair.removal_times import RemovalTimesPlanner
from cleanupctl.history.camunda.repair.requests import Absolute, InstanceFilter
from cleanupctl.history.camunda.repair.ttls import TtlsPlanner, Wanted, meant_definitions
from cleanupctl.history.databases.errors import StatementTimeoutError
from cleanupctl.history.databases.postgresql.database import PostgreSQL
from cleanupctl.history.databases.statements import Delete
from cleanupctl.history.kinds import history_with
from tests.support.camunda.data import fill
from tests.support.camunda.histories import query, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleanupctl.core.store.jobstore import JobStore
    from cleanupctl.history.cleaning.tasks import Planner

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
ANY = timedelta(days=36_500)
"""The servers have clocks of their own."""
ORIGIN = Origin("host-a", 42, "0.0.0", "0123456789ab")
ORPHANS, DEFINITIONS = 40, 12
OPERATIONS = ["orphans", "set-removal-time", "ttl-set"]


@dataclass
class Site:
    """An engine's database with something to do for each operation, and a job store."""

    url: str
    store: JobStore
    throttle: ThrottleSettings = field(default_factory=ThrottleSettings)
    cleanup: CleanupSettings = field(
        default_factory=lambda: CleanupSettings(batch_size=5, max_clock_skew=ANY)
    )
    asked: Callable[[], str | None] = lambda: None
    waits: list[float] = field(default_factory=list)

    def planner(self, operation: str) -> Planner:
        configured = settings(self.url)
        if operation == "orphans":
            return OrphansPlanner(configured)
        if operation == "ttl-set":
            wanted = Wanted("order", 30, all_versions=True)
            return TtlsPlanner(configured, meant_definitions(configured, wanted), wanted.ttl)
        return RemovalTimesPlanner(configured, InstanceFilter(definition_key="invoice"), Absolute(NOW))

    def settings(self) -> Settings:
        return Settings(
            path=None,
            timezone=ZoneInfo("UTC"),
            store=self.store.url,
            cleanup=self.cleanup,
            throttle=self.throttle,
            windows=BatchWindows(ZoneInfo("UTC")),
            histories=(),
            digest=ORIGIN.configuration,
        )

    def run(self, operation: str, planner: Planner | None = None) -> list[JobProgress | Throttled]:
        return list(self.events(operation, planner))

    def events(self, operation: str, planner: Planner | None = None) -> Iterator[JobProgress | Throttled]:
        seconds = iter(range(10**6))
        environment = RunEnvironment(
            clock=lambda: NOW,
            monotonic=lambda: float(next(seconds)),
            asked_to_stop=self.asked,
            wait=self.waits.append,
            jitter=lambda: 0.0,
        )
        work = Maintenance(operation, self.store, self.settings(), ORIGIN, environment)
        chosen = planner or self.planner(operation)
        return work.run(history_with(chosen, settings(self.url), self.cleanup))

    def entry(self) -> LogEntry:
        (entry,) = self.store.log(limit=1)
        return entry


@pytest.fixture
def site(engine_postgresql_url: str, sqlite_url: str) -> Iterator[Site]:
    url = engine_postgresql_url
    fill(url, expired_instances=20, unexpired_instances=0, now=NOW, orphans=ORPHANS)
    for version in range(DEFINITIONS):
        query(
            url,
            "INSERT INTO ACT_RE_PROCDEF (ID_, REV_, KEY_, VERSION_)"
            f" VALUES ('order:{version}', 1, 'order', {version})",
        )
    with open_store(parse_url(sqlite_url)) as store:
        yield Site(url, store)


def batches(events: list[JobProgress | Throttled]) -> list[int]:
    return [
        one.event.rows
        for one in events
        if isinstance(one, JobProgress) and isinstance(one.event, BatchCommitted)
    ]


def done(entry: LogEntry) -> int:
    return sum(one.rows + (one.changed or 0) for one in entry.removed)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_transaction_is_larger_than_configured(site: Site, operation: str) -> None:
    sizes = batches(site.run(operation))
    assert len(sizes) > 1
    assert max(sizes) <= site.cleanup.batch_size
    assert not sum(batches(site.run(operation))), "nothing is left to do"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_signal_ends_it_after_the_batch_and_the_next_call_goes_on(site: Site, operation: str) -> None:
    events: list[JobProgress | Throttled] = []
    site.asked = lambda: "signal" if sum(batches(events)) else None
    for event in site.events(operation):
        events.append(event)
    first = sum(batches(events))
    assert (site.entry().stop_reason, done(site.entry())) == ("signal", first)
    site.asked = lambda: None
    rest = sum(batches(site.run(operation)))
    assert first > 0
    assert rest > 0
    if operation == "orphans":
        assert first + rest == ORPHANS
    if operation == "ttl-set":
        assert first + rest == DEFINITIONS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_statement_that_timed_out_is_not_repeated_at_the_same_size(
    site: Site, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits, tried = 3, list[tuple[str, int]]()
    transact = PostgreSQL.transact

    def timing_out(self: Any, statements: Any, most_rows: int) -> Any:
        """Execute what touches few rows; what was tried is known by how many rows it looks at."""
        (statement,) = statements
        touched = looked_at(self, statement)
        tried.append((statement.table.name, touched))
        if touched > fits:
            raise StatementTimeoutError("canceling statement due to statement timeout")
        return transact(self, statements, most_rows)

    monkeypatch.setattr(PostgreSQL, "transact", timing_out)
    site.cleanup = CleanupSettings(max_clock_skew=ANY)
    assert sum(batches(site.run(operation))) > 0
    too_large = [(table, size) for table, size in tried if size > fits]
    assert too_large
    if operation == "ttl-set":
        assert [size for _, size in tried[:3]] == [12, 6, 3]
    assert len(set(too_large)) == len(too_large)


def looked_at(database: Any, statement: Any) -> int:
    """How many rows a statement goes through."""
    where = statement.within if isinstance(statement, Delete) else statement.where
    rows = f"{database.rows_of(statement.table)} WHERE {where.sql or '1 = 1'}"
    return int(database.query(f"SELECT count(*) FROM {rows}", where.parameters)[0][0])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_holds_back_as_a_run_does(site: Site, operation: str) -> None:
    site.throttle = ThrottleSettings(duty_cycle=0.5, rows_per_second=4)
    events = site.run(operation)
    held = [one for one in events if isinstance(one, Throttled)]
    assert len(held) >= len(batches(events)) - 1 > 0
    assert max(batches(events)) <= 4
    assert site.waits


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_job_log_has_one_entry_of_it(site: Site, operation: str) -> None:
    rows = sum(batches(site.run(operation)))
    entry = site.entry()
    assert (entry.operation, entry.job_id, entry.state) == (operation, None, LogState.SUCCESSFUL)
    assert (entry.host, entry.stop_reason, done(entry)) == ("host-a", "finished", rows)
    assert entry.duration is not None
    deleted = sum(one.rows for one in entry.removed)
    assert deleted == (rows if operation == "orphans" else 0)
    assert len(site.store.log()) == 1
    assert site.store.log(job_id=None, states=[LogState.FAILED]) == []


def test_a_failure_is_in_the_job_log(site: Site) -> None:
    def planner(database: object, now: object) -> Any:
        raise HistoryError("the tables are not there")

    events = site.run("orphans", planner)
    told = [type(one.event) for one in events if isinstance(one, JobProgress)]
    # Of the clocks, too, since that of the test stands still.
    assert [one for one in told if one is not Noticed] == [Failed]
    entry = site.entry()
    assert (entry.state, entry.exception_message) == (LogState.FAILED, "engine: the tables are not there")
    assert entry.exception_stacktrace


def test_what_is_broken_off_says_so(site: Site) -> None:
    events = site.events("orphans")
    while not isinstance(event := next(events), JobProgress) or not isinstance(event.event, BatchCommitted):
        pass
    events.close()  # type: ignore[attr-defined]
    assert site.entry().stop_reason == "aborted"
