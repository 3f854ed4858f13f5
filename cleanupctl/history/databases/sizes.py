"""How large a table is, as far as its server knows."""

from __future__ import annotations

from typing import NamedTuple


class TableSize(NamedTuple):
    """Rows by the statistics, and bytes on disk with everything that belongs to the table."""

    rows: int
    bytes: int
