"""Fixtures of the tests with real databases."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.settings import CleanupSettings, Settings
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from cleanupctl.core.windows.windows import BatchWindows
from tests.support.house import ORIGIN, House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleanupctl.core.store.jobstore import JobStore
    from cleanupctl.core.windows.windows import DailyWindow


@pytest.fixture
def store(database_url: str) -> Iterator[JobStore]:
    with open_store(parse_url(database_url)) as opened:
        yield opened


@pytest.fixture
def house(sqlite_url: str) -> Iterator[Callable[..., House]]:
    url = parse_url(sqlite_url)
    stores = []

    def build(window: DailyWindow | None = None, **cleanup: object) -> House:
        store = open_store(url)
        stores.append(store)
        zone = ZoneInfo("UTC")
        settings = Settings(
            path=None,
            timezone=zone,
            store=url,
            cleanup=CleanupSettings(**cleanup),  # type: ignore[arg-type]
            windows=BatchWindows(zone, general=window),
            histories=(),
            digest=ORIGIN.configuration,
        )
        return House(store, settings)

    yield build
    for store in stores:
        store.close()
