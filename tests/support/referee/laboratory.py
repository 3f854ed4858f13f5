"""The experiment: one populated database, one copy cleaned by its engine and one by cleanupctl."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cleanupctl.core.run.cleaning import Failed
from cleanupctl.core.settings import CamundaSettings, CleanupSettings, Strategy
from cleanupctl.core.urls import parse_url
from cleanupctl.history.kinds import history
from tests.support.limits import TestLimits
from tests.support.referee.databases import Ids, copy_database, ids
from tests.support.referee.driver import ENGINES, Driver, running_driver
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.core.run.cleaning import Event
    from tests.support.servers import DatabaseServer

ZONE = ZoneInfo("Europe/Berlin")
"""Of the engine's wall clock; the clock change of 31 March 2024 lies between the rows and the cleanup."""

NOW = datetime(2024, 4, 3, 10, 0, tzinfo=ZONE)
DEPLOYED = datetime(2024, 2, 1, 10, 0, tzinfo=ZONE)

_LONG_AGO = (datetime(2024, 2, 20, 10, 0, tzinfo=ZONE), datetime(2024, 2, 21, 12, 0, tzinfo=ZONE))
# ends five days ago to the second, by the wall clock
_JUST_EXPIRED = (datetime(2024, 3, 28, 23, 0, tzinfo=ZONE), datetime(2024, 3, 29, 10, 0, tzinfo=ZONE))
# starts a second later than that; ends less than five days ago, yet five midnights lie in between
_NEARLY_EXPIRED = (datetime(2024, 3, 29, 10, 0, 1, tzinfo=ZONE), datetime(2024, 3, 29, 23, 0, tzinfo=ZONE))
ROUNDS = {
    "end": (_LONG_AGO, _JUST_EXPIRED, _NEARLY_EXPIRED),
    "start": (_LONG_AGO, _NEARLY_EXPIRED),
}
"""When instances start and when most of them end, by the base time of removal times."""

TIMES_TO_LIVE: dict[str, Any] = {
    "job_log_ttl": "P5D",
    "task_metrics_ttl": "P5D",
    "batch_ttl": "P5D",
    "batch_ttls": {"instance-migration": "P10D", "set-variables": "P365D"},
}

MODELS = sorted(str(path) for path in (Path(__file__).parent / "models").iterdir())

OF_TENANTS = [one for one in MODELS if Path(one).stem in ("letter", "memo")]
"""Where histories are not whole these are deployed for tenants only."""


@dataclass(frozen=True)
class Experiment:
    """What is tried: which engine on which server, how it sets removal times, how it is cleaned."""

    engine: str
    server: str
    removal: str = "end"
    """The engine's removal-time strategy: base time of what it writes."""
    strategy: Strategy = "removal-time"

    def __str__(self) -> str:
        return f"{self.engine}-{self.server}-{self.strategy}-{self.removal}"


@dataclass(frozen=True)
class Cleaned:
    """A copy after a cleanup: where it is, and what is left of the rows from before."""

    url: str
    left: Ids


class Laboratory:
    """Makes each population and each cleaned copy once, when first asked for."""

    def __init__(self, server: Callable[[str], DatabaseServer]) -> None:
        self.server = cache(server)
        self.driver = cache(self._driver)
        self.populated = cache(self._populated)
        self.unhealthy = cache(self._unhealthy)
        self.before = cache(ids)
        self.by_engine = cache(self._by_engine)
        """A copy after the engine's own cleanup."""
        self.by_cleanupctl = cache(self._by_cleanupctl)
        """A copy after cleanupctl, configured as the engine is."""
        self.results: dict[str, tuple[Ids, Ids, Ids]] = {}
        """Ids before, after the engine and after cleanupctl, by experiment."""
        self._open = contextlib.ExitStack()

    def close(self) -> None:
        """End the drivers."""
        self._open.close()

    def _by_engine(self, experiment: Experiment) -> Cleaned:
        url = self.copy(experiment)
        with self.engine(experiment, url) as engine:
            engine("cleanup", now=NOW.isoformat())
        return self._cleaned(experiment, url)

    def _by_cleanupctl(self, experiment: Experiment) -> Cleaned:
        url = self.copy(experiment)
        configured = CamundaSettings(
            name="engine",
            url=parse_url(url),
            timezone=ZONE,
            strategy=experiment.strategy,
            task_metrics_ttl=5,
        )
        with history(configured, CleanupSettings()).open() as session:
            events: list[Event] = list(session.clean(NOW.astimezone(UTC), TestLimits()))
        assert not [event for event in events if isinstance(event, Failed)]
        return self._cleaned(experiment, url)

    def engine(self, experiment: Experiment, url: str) -> contextlib.AbstractContextManager[Driver]:
        """The experiment's engine, open on a database."""
        strategy = {"removal-time": "removalTimeBased", "end-time": "endTimeBased"}[experiment.strategy]
        return self.driver(experiment.engine).engine(
            url, strategy=strategy, removal=experiment.removal, **TIMES_TO_LIVE
        )

    def original(self, experiment: Experiment) -> str:
        """URL of the populated database; to be read only."""
        return self.populated(experiment.engine, experiment.server, experiment.removal)

    def running(self, url: str) -> int:
        """How many process instances have not ended."""
        with connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM ACT_HI_PROCINST WHERE END_TIME_ IS NULL")
            return int(cursor.fetchone()[0])

    def copy(self, experiment: Experiment) -> str:
        """A copy of the populated database."""
        return copy_database(self.server(experiment.server), self.original(experiment))

    def copy_of_unhealthy(self, experiment: Experiment) -> tuple[str, dict[str, str]]:
        """A copy of the database with histories that are not whole, and instances by what they met."""
        url, instances = self.unhealthy(experiment.engine, experiment.server)
        return copy_database(self.server(experiment.server), url), instances

    def _cleaned(self, experiment: Experiment, url: str) -> Cleaned:
        before = self.before(self.original(experiment))
        return Cleaned(url, {table: left & before[table] for table, left in ids(url).items()})

    def _driver(self, engine: str) -> Driver:
        return self._open.enter_context(running_driver(ENGINES[engine], ZONE.key))

    def _populated(self, engine: str, server: str, removal: str) -> str:
        url = self.server(server).create_database()
        with self.engine(Experiment(engine, server, removal), url) as running:
            running("deploy", now=DEPLOYED.isoformat(), files=MODELS)
            # The log of the engine's own cleanup is history, too.
            running("cleanup", now=DEPLOYED.isoformat())
            for start, end in ROUNDS[removal]:
                running("populate", start=start.isoformat(), end=end.isoformat())
        return url

    def _unhealthy(self, engine: str, server: str) -> tuple[str, dict[str, str]]:
        url = self.server(server).create_database()
        with self.engine(Experiment(engine, server), url) as running:
            now = DEPLOYED.isoformat()
            running("deploy", now=now, files=[one for one in MODELS if one not in OF_TENANTS])
            for tenant in ("north", "south"):
                running("deploy", now=now, files=OF_TENANTS, tenant=tenant)
            start, end = _LONG_AGO
            return url, running("misfortunes", start=start.isoformat(), end=end.isoformat())
