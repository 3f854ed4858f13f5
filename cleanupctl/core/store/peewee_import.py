"""Import peewee without the database drivers it would load only because they are installed."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DRIVERS = ("psycopg2cffi", "psycopg2", "psycopg", "pymysql", "MySQLdb", "pysqlite3")


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    # None in sys.modules makes an import fail at once. A module that is already there costs
    # nothing and stays, so that other threads keep seeing it.
    blocked = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(blocked))  # type: ignore[arg-type]  # None is what blocks
    try:
        yield
    finally:
        for name in blocked:
            del sys.modules[name]


# With psycopg and pymysql installed a plain import takes five times as long. The dialects import
# the one driver they need when they connect.
with _without(DRIVERS):
    import peewee

__all__ = ["peewee"]
