"""Which instances of a populated database have expired under the end-time strategy, computed on its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.engine.laboratory import NOW
from tests.servers import connect

if TYPE_CHECKING:
    from collections.abc import Callable

WALL_CLOCK = NOW.replace(tzinfo=None)


@dataclass(frozen=True)
class Instance:
    """A process instance of the history, with its definition's time to live in days."""

    id: str
    root: str
    end: datetime | None
    ttl: int | None


def whole_days(end: datetime, ttl: int) -> bool:
    """Whether `ttl` whole days have passed on the engine's wall clock."""
    return end + timedelta(days=ttl) <= WALL_CLOCK


def midnights(end: datetime, ttl: int) -> bool:
    """Whether `ttl` midnights have passed: the engine's rule on MariaDB."""
    return (WALL_CLOCK.date() - end.date()).days >= ttl


def instances(url: str) -> list[Instance]:
    """Every process instance."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.PROC_INST_ID_, p.ROOT_PROC_INST_ID_, p.END_TIME_, d.HISTORY_TTL_"
            " FROM ACT_HI_PROCINST p LEFT JOIN ACT_RE_PROCDEF d ON d.ID_ = p.PROC_DEF_ID_"
        )
        return [Instance(*row) for row in cursor.fetchall()]


def expired(found: list[Instance], rule: Callable[[datetime, int], bool]) -> frozenset[str]:
    """Ids of the instances whose own end and time to live are past."""
    return frozenset(
        one.id for one in found if one.end is not None and one.ttl is not None and rule(one.end, one.ttl)
    )


def expired_trees(found: list[Instance]) -> frozenset[str]:
    """Ids of the instances whose root's end and time to live are past."""
    roots = expired([one for one in found if one.root == one.id], whole_days)
    return frozenset(one.id for one in found if one.root in roots)
