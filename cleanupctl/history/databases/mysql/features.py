"""What servers of MySQL and MariaDB can do, what their storage engines can, and how keys are read back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.history.databases.catalogue import Table

_SKIP_LOCKED_SINCE = {True: (10, 6, 0), False: (8, 0, 1)}
"""By whether it is MariaDB."""
_TRANSACTIONAL = {"innodb", "rocksdb", "tokudb", "ndbcluster"}
_READ_AS = {
    "enum": "CAST({} AS UNSIGNED)",
    "set": "CAST({} AS UNSIGNED)",
    "bit": "CAST({} AS UNSIGNED)",
    "float": "({} + 0e0)",
}
"""How values are read that would come back rounded, or in another form than the one that orders them."""
_WITHOUT_RANGES = {"enum", "set"}
"""An index finds values of these types, and no ranges of the numbers by which it orders them."""


def passes_over_locked(version: str) -> bool:
    """Whether a server of a version, as it names it, knows SKIP LOCKED."""
    # MariaDB puts one before its own, for clients that know no higher one.
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version.removeprefix("5.5.5-"))
    since = _SKIP_LOCKED_SINCE["MariaDB" in version]
    return found is not None and tuple(map(int, found.groups())) >= since


def transactional(table: Table) -> bool:
    """Whether what is done to a table can be undone."""
    return str(table.detail["engine"]).lower() in _TRANSACTIONAL


def require_transactional(table: Table) -> None:
    """Raise HistoryError for a table of which nothing is undone."""
    if not transactional(table):
        raise HistoryError(
            f"{table.name} is stored by {table.detail['engine']}, which has no transactions: nothing is"
            " deleted from it together with other tables, since a part could not be undone; have it stored by"
            " InnoDB"
        )


def as_read(table: Table, columns: Sequence[str]) -> list[str]:
    """Return what reads the quoted key columns so that values, bound again, compare as they are ordered."""
    kinds = [table.columns[name].declared.lower() for name in table.key]
    return [_READ_AS.get(kind, "{}").format(column) for kind, column in zip(kinds, columns, strict=True)]


def key_has_ranges(table: Table) -> bool:
    """Whether an index finds the rows between two keys."""
    return bool(table.key) and table.columns[table.key[0]].declared.lower() not in _WITHOUT_RANGES
