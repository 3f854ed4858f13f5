"""Keys of several columns are compared as the database orders them."""

from __future__ import annotations

import sqlite3
from itertools import product

import pytest

from cleanupctl.history.databases.key_scans import row_comparison


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize(("operator", "inclusive"), [(">", False), ("<", True), ("<", False), (">", True)])
def test_a_comparison_of_keys_finds_what_the_order_of_the_key_says(
    columns: int, operator: str, inclusive: bool
) -> None:
    names = "abc"[:columns]
    order = ", ".join(names)
    keys = list(product(range(3), repeat=columns))
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE t ({order})")
    connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * columns)})", keys)
    for bound in keys:
        condition = row_comparison(names, operator, bound, inclusive=inclusive)
        sql = f"SELECT {order} FROM t WHERE {condition.sql.replace('%s', '?')} ORDER BY {order}"
        found = connection.execute(sql, condition.parameters).fetchall()
        wanted = {
            ">": [key for key in keys if key > bound],
            "<": [key for key in keys if key < bound],
        }[operator]
        assert found == sorted([*wanted, *([bound] if inclusive else [])])
    connection.close()
