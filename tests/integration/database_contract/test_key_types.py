"""Keys of types that clients show in another form than the one that orders them: all rows are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cleanupctl.history.databases.key_scans import PrimaryKeyScan
from cleanupctl.history.databases.shared_scan import SharedScan
from tests.support.contract import covers

if TYPE_CHECKING:
    from tests.support.contract import Place

ROWS = 600
KEYS = {
    "mysql": {
        "ENUM('warning', 'error', 'audit')": "('warning', 'error', 'audit')[{n} % 3]",
        "SET('zeta', 'alpha', 'mid')": "('zeta', 'mid', 'zeta,mid')[{n} % 3]",
        "BIT(20)": "{n}",
        "FLOAT": "{n} / 7",
        "DECIMAL(20, 5)": "{n} / 7",
        "BINARY(4)": "'%04x' % {n}",
        "VARCHAR(20) COLLATE utf8mb4_general_ci": "'aBcD'[{n} % 4] + str({n})",
    },
    "postgresql": {
        "REAL": "{n} / 7",
        "NUMERIC": "{n} / 7",
        "BYTEA": "b'%04x' % {n}",
        "CHAR(20)": "'aBcD'[{n} % 4] + str({n})",
    },
    "sqlite": {
        "REAL": "{n} / 7",
        "BLOB": "b'%04x' % {n}",
        "TEXT COLLATE NOCASE": "'aBcD'[{n} % 4] + str({n})",
        "": "[{n}, {n} / 7, str({n}), b'%04x' % {n}][{n} % 4]",
    },
}
"""By package: declared type, and what makes a value of a number."""


@pytest.mark.parametrize("indexed", [True, False])
@covers("scan", "address_values", "key_values")
def test_a_key_of_any_type_is_scanned_to_its_end(place: Place, *, indexed: bool) -> None:
    plain = place.events(1, 1, name="plain").table
    assert place.database.address_values(plain)
    assert place.database.key_values(plain) == place.database.key_columns(plain)
    for number, (declared, value) in enumerate(KEYS[place.family].items()):
        name = f"keyed{number}"
        ends = " WITHOUT ROWID" if place.is_file else ""
        place.run(
            f"CREATE TABLE {name} (kind {declared} NOT NULL, id INTEGER NOT NULL,"
            f" at {place.type_of('wall')}, PRIMARY KEY (kind, id)){ends}",
        )
        if indexed:
            place.run(f"CREATE INDEX {name}_at ON {name} (at)")
        wall = place.moment.wall
        times = (str(wall.replace(year=2020)), str(wall.replace(year=2034)))
        rows = [(eval(value.format(n=n)), n, times[n % 2]) for n in range(ROWS)]
        place.insert(name, rows)
        place.analyze(name)
        scan = place.database.scan(place.target(place.table(name), "at"))
        left, units = 2 * ROWS, 64
        while not (batch := scan.run(units, 100)).done:
            units = max(1, units // 2) if batch.overflow else units
            left -= 1
            assert left, f"{declared}: the scan does not end"
        assert place.ids(name) == list(range(1, ROWS, 2)), declared


def test_every_server_can_be_scanned_along_the_key(place: Place) -> None:
    """Whatever access path it would choose itself: rows that no index leads to are looked for that way."""
    scan = PrimaryKeyScan(place.database, SharedScan(place.events(ROWS, ROWS // 2), None))
    looked = 0
    while not scan.run(7, 100).done:
        looked += 1
        assert looked < ROWS
    assert place.ids() == list(range(ROWS // 2, ROWS))
