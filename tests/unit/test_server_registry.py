"""What is special about a server is said in its package: nobody else asks which one it is."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

import cleanupctl
from cleanupctl.core import urls
from cleanupctl.core.errors import HistoryError
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases import servers

ROOT = Path(cleanupctl.__file__).parent
DATABASES = ROOT / "history" / "databases"
KNOW_SERVERS = [
    DATABASES / "servers.py",
    DATABASES / "placeholders.py",
    *(DATABASES / one.package for one in servers.SERVERS.values()),
]
NAMES = {*urls.SCHEMES, *(name for server in urls.SERVERS.values() for name in server.names), "`", "%%"}


def names_of_servers(source: str) -> list[str]:
    """Schemes, names and quoting marks that stand in a module by themselves, as for a comparison."""
    nodes = list(ast.walk(ast.parse(source)))
    written = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    constants = (node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in written)
    return [value for value in constants if isinstance(value, str) and value in NAMES]


@pytest.mark.parametrize(
    "path",
    [
        path
        for room in ("history", "cli")
        for path in sorted((ROOT / room).rglob("*.py"))
        if not any(path == known or known in path.parents for known in KNOW_SERVERS)
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_module_outside_of_a_servers_package_asks_which_server_it_is(path: Path) -> None:
    assert names_of_servers(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source", ["if url.scheme == 'mysql': ...", "x.startswith('`')", "x.replace('%%', '%')", "{'MariaDB': 1}"]
)
def test_a_question_for_the_server_is_noticed(source: str) -> None:
    assert names_of_servers(source)


def test_every_server_that_can_be_cleaned_has_a_scheme_and_a_package() -> None:
    for scheme, server in servers.SERVERS.items():
        assert urls.SCHEMES[scheme] == scheme
        assert find_spec(f"cleanupctl.history.databases.{server.package}.database") is not None


def test_servers_of_engines_are_known_by_every_spelling_and_name() -> None:
    assert servers.engine_schemes() == {
        "postgresql": "postgresql",
        "postgres": "postgresql",
        "mysql": "mysql",
        "mariadb": "mysql",
    }
    assert servers.engine_servers() == "PostgreSQL, MySQL or MariaDB"
    assert servers.runs_engines(parse_url("mariadb://u@h/d"))
    assert not servers.runs_engines(parse_url("sqlite:///file"))


def test_a_database_that_only_a_job_store_can_use_is_refused_as_a_history() -> None:
    with pytest.raises(
        HistoryError, match="is a CockroachDB database; those that can be cleaned are SQLite,"
    ):
        servers.connect(parse_url("cockroachdb://u:secret@h/d"))
