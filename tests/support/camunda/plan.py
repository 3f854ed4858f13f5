"""What happened in a made-up engine: process instances, batches, decisions and cases, as plain values.

All times are microseconds since 1970 on the wall clock of the engine's zone, whole milliseconds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = 1_000_000
DAY = 86_400 * SECOND
BLOCK = 10
"""Instances come in blocks of ten: six alone, and a chain of four, each calling the next."""
CHAIN = range(5, 9)
STEPS = 16
"""The life of an instance has sixteen steps; what belongs to it happened at one of them."""

TTL_DAYS = {"invoice": 30, "archive": 365, "check": 7, "legacy": None}
"""Process definitions and their time to live; the tree of a root keeps to the root's."""

_TICKS_BEFORE_1970 = 0x01B21DD213814000


@dataclass(slots=True)
class Event:
    """One thing that happened and has history rows: a process instance, batch, decision or case."""

    what: str
    """`process`, `batch`, `decision` (evaluated outside a process), `case` or `task` (a task metric)."""
    position: int
    """Place among those of its kind and fate; which rows it has depends on it."""
    start: int
    end: int | None
    step: int
    removal: int | None
    definition: str | None = None
    parent: Event | None = None
    number: int = 0
    id: str = ""
    called_id: str | None = None

    @property
    def root(self) -> Event:
        """Top of the call hierarchy."""
        return self if self.parent is None else self.parent.root


def uuid_of(micros: int, table: int, k: int, number: int) -> str:
    """Time-based UUID as the engine makes them; unique for (table, k, number)."""
    ticks = micros * 10 + _TICKS_BEFORE_1970
    time = f"{ticks & 0xFFFFFFFF:08x}-{ticks >> 32 & 0xFFFF:04x}-1{ticks >> 48 & 0xFFF:03x}"
    return f"{time}-8{table:03x}-{k:02x}{number:010x}"


def to_micros(wall: datetime) -> int:
    """Microseconds since 1970 of a naive wall-clock time."""
    return (wall.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much there is to be of everything. `now` is the engine's wall clock in microseconds."""

    now: int
    expired: int
    unexpired: int
    running: int
    unset: int
    expired_unfinished: int
    spread: int
    """The removal times of what has expired lie within this many microseconds before now."""
    interleaved: bool
    seed: int

    def events(self) -> list[Event]:
        """Everything that happened, in the order of its start, numbered and named."""
        made = sorted(self._all(), key=lambda event: (event.start, event.parent is not None))
        for number, event in enumerate(made, start=1 + self.seed * 10**9):
            event.number = number
            event.id = uuid_of(event.start, 1, 0, number)
        for event in made:
            if event.parent is not None:
                event.parent.called_id = event.id
        return made

    def _all(self) -> Iterator[Event]:
        chance = random.Random(self.seed)
        kept = "archive" if self.interleaved else "invoice"
        yield from self._instances(chance, "invoice", self._expired_removals(chance, self.expired))
        yield from self._instances(
            chance, kept, self._unexpired_removals(self.unexpired, TTL_DAYS[kept] or 0)
        )
        yield from self._instances(chance, "legacy", [None] * self.unset)
        yield from self._running(self.running, None, range(1, 20))
        yield from self._running(self.expired_unfinished, 30 * DAY, range(31, 180))
        others = {"batch": 50, "decision": 25, "task": 4}
        for what, share in others.items():
            expired = self._expired_removals(chance, _at_least(self.expired, share))
            unexpired = self._unexpired_removals(_at_least(self.unexpired, share), 30)
            yield from self._others(what, expired)
            yield from self._others(what, unexpired)
        yield from self._others("batch", [None] * 3)
        yield from self._others("case", [None] * 5)
        yield from self._running_batches(3)

    def _expired_removals(self, chance: random.Random, count: int) -> list[int]:
        """Spread up to and including now: what is due this very moment has expired."""
        step = self.spread // max(count, 1)
        times = [self.now - step * (count - 1 - i) - chance.randrange(step + 1) for i in range(count)]
        return [*times[:-1], self.now] if times else []

    def _unexpired_removals(self, count: int, ttl_days: int) -> list[int]:
        """From one second after now on; with a longer time to live, ends lie among those expired."""
        if ttl_days > 30:
            first, span = self.now - (30 * DAY) - self.spread + ttl_days * DAY, self.spread
        else:
            first, span = self.now + SECOND, ttl_days * DAY - SECOND
        return [first + span * i // count for i in range(count)]

    def _instances(
        self, chance: random.Random, key: str, removals: list[int] | list[None]
    ) -> Iterator[Event]:
        parent: Event | None = None
        ttl = (TTL_DAYS[key] or 0) * DAY
        for position, removal in enumerate(removals):
            if parent is not None and position % BLOCK in CHAIN:
                parent = _child(parent, position)
            else:
                end = _millis(self.now - position * 1000 * SECOND if removal is None else removal - ttl)
                step = _millis(chance.choice((1, 5, 60, 60, 600, 4000)) * 60 * SECOND // STEPS)
                kept_until = None if removal is None else end + ttl
                parent = Event("process", position, end - STEPS * step, end, step, kept_until, key)
            yield parent
            if position % BLOCK not in CHAIN[:-1]:
                parent = None

    def _running(self, count: int, ttl: int | None, age_days: range) -> Iterator[Event]:
        """Instances without an end; the deepest of a chain has ended, as in real life."""
        parent: Event | None = None
        for position in range(count):
            if parent is not None and position % BLOCK in CHAIN:
                parent = _child(parent, position)
                if position % BLOCK == CHAIN[-1]:
                    parent.end = parent.start + STEPS * parent.step
            else:
                start = _millis(self.now - age_days[position % len(age_days)] * DAY - position * SECOND)
                removal = None if ttl is None else start + ttl
                parent = Event(
                    "process", position, start, None, DAY // STEPS // 1000 * 1000, removal, "invoice"
                )
            yield parent
            if position % BLOCK not in CHAIN[:-1]:
                parent = None

    def _others(self, what: str, removals: list[int] | list[None]) -> Iterator[Event]:
        for position, removal in enumerate(removals):
            end = self.now - (60 + position) * DAY if removal is None else removal - 30 * DAY
            end = _millis(end)
            kept = None if removal is None or what == "task" else end + 30 * DAY
            yield Event(what, position, end - STEPS * SECOND, end, SECOND, kept)

    def _running_batches(self, count: int) -> Iterator[Event]:
        for position in range(count):
            yield Event("batch", position, _millis(self.now - (position + 1) * DAY), None, SECOND, None)


def _child(parent: Event, position: int) -> Event:
    step = _millis(parent.step * (STEPS - 2) // STEPS)
    start = parent.start + parent.step
    end = None if parent.end is None else start + STEPS * step
    return Event("process", position, start, end, step, parent.removal, "check", parent)


def _at_least(count: int, share: int) -> int:
    return 0 if count == 0 else count // share + 4


def _millis(micros: int) -> int:
    return micros // 1000 * 1000
