"""Opening the embedded store loads no database driver, and loading one later still works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("psycopg")
pytest.importorskip("pymysql")

_ROOT = Path(__file__).parents[2]


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_opening_an_embedded_store_imports_no_driver_and_no_playhouse(tmp_path: Path) -> None:
    output = python(f"""
import sys
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
for create in (True, False):
    with open_store(parse_url("sqlite:///{tmp_path}/jobs.db"), create=create) as store:
        assert store.jobs() == [] and not store.missing
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{
    "psycopg", "psycopg2", "psycopg2cffi", "pymysql", "MySQLdb", "pysqlite3", "playhouse"}}))
""")
    assert output == "[]\n"


def test_naming_the_store_does_not_import_peewee() -> None:
    assert python("import sys, cleanupctl.core.store; print('peewee' in sys.modules)") == "False\n"


def test_drivers_can_be_imported_after_the_store_was_opened() -> None:
    assert (
        python("""
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
open_store(parse_url("sqlite:///:memory:")).close()
import psycopg, psycopg.types.json, pymysql
print(psycopg.Connection.__name__, pymysql.connect is not None)
""")
        == "Connection True\n"
    )


def test_a_driver_that_is_loaded_already_stays_the_same() -> None:
    assert (
        python("""
import sys, psycopg
import cleanupctl.core.store.peewee_import
print(sys.modules["psycopg"] is psycopg)
""")
        == "True\n"
    )


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [
        ("postgresql://me:s3cret@host.invalid/db", "psycopg", "cleanupctl[postgres]"),
        ("cockroachdb://me:s3cret@host.invalid/db", "psycopg", "cleanupctl[postgres]"),
        ("mysql://me:s3cret@host.invalid/db", "pymysql", "cleanupctl[mysql]"),
    ],
)
def test_a_missing_driver_names_the_extra_that_brings_it(url: str, driver: str, extra: str) -> None:
    output = python(f"""
import sys
sys.modules[{driver!r}] = None
from cleanupctl.core.errors import StoreError
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
try:
    open_store(parse_url({url!r}))
except StoreError as error:
    print(error.message)
""")
    assert f"pip install '{extra}'" in output
    assert "s3cret" not in output
