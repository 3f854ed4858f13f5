"""Turns of workers that write to a database with one writer at a time: others get theirs whoever writes."""

from __future__ import annotations

import itertools
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from cleanupctl.history.cleaning import turns
from cleanupctl.history.cleaning.turns import Turns
from tests.support.limits import TestLimits

if TYPE_CHECKING:
    import pytest

    from cleanupctl.history.databases.database import Database


class Pretend:
    """Counts how many write at a time, and the turns that end."""

    writing_turn: float | None = 0.0

    def __init__(self) -> None:
        self.writing = self.most = self.ended = 0

    def end_turn(self) -> None:
        assert self.writing == 0, "somebody writes while others have their turn"
        self.ended += 1


class Watching(TestLimits):
    """Lets nobody write during a pause."""

    def __init__(self, database: Pretend) -> None:
        super().__init__()
        self.database = database

    def pause(self, seconds: float) -> None:
        super().pause(seconds)
        threading.Event().wait(0.002)
        assert self.database.writing == 0


def write(shared: Turns, database: Pretend, limits: TestLimits, batches: int) -> None:
    for _ in range(batches):
        with shared.writing(cast("Database", database), limits):
            database.writing += 1
            database.most = max(database.most, database.writing)
            threading.Event().wait(0.001)
            database.writing -= 1


def test_no_worker_writes_while_another_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, database = Turns(), Pretend()
    limits = Watching(database)
    failed: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    workers = [threading.Thread(target=write, args=(shared, database, limits, 20)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []
    assert database.most == 1
    assert database.ended == limits.pauses == 60


def test_batches_of_all_workers_together_make_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each batch takes a second of this clock.
    monkeypatch.setattr(turns, "time", SimpleNamespace(perf_counter=itertools.count().__next__))
    shared, first, second, free = Turns(), Pretend(), Pretend(), Pretend()
    first.writing_turn, second.writing_turn, free.writing_turn = 5, 5, None
    ended = []
    for _ in range(4):
        for database in (first, second, free):
            write(shared, database, TestLimits(), 1)
        ended.append((first.ended, second.ended, free.ended))
    # The fourth batch of both together, and the eighth.
    assert ended == [(0, 0, 0), (0, 1, 0), (0, 1, 0), (0, 2, 0)]
