"""`cleanupctl config import`: an engine's cleanup settings become a configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.errors import assert_clear

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Command

SECRET = "s3cret-pa55word"
APPLICATION = f"""\
spring.datasource:
  url: jdbc:postgresql://db:5432/camunda
  username: camunda
  password: {SECRET}
camunda.bpm.generic-properties.properties:
  historyCleanupBatchWindowStartTime: "20:00"
  historyCleanupBatchWindowEndTime: "06:00"
  historyCleanupDegreeOfParallelism: 4
  historyCleanupBatchThreshold: 10
  "historyCleanup\\e[2J": 3
"""
ENGINES = """\
<bpm-platform xmlns="http://www.camunda.org/schema/1.0/BpmPlatform">
  <process-engine name="reporting">
    <properties><property name="historyCleanupDegreeOfParallelism">7</property></properties>
  </process-engine>
  <process-engine name="default">
    <properties><property name="historyCleanupDegreeOfParallelism">2</property></properties>
  </process-engine>
</bpm-platform>
"""


@pytest.fixture
def application(tmp_path: Path) -> str:
    path = tmp_path / "application.yaml"
    path.write_text(APPLICATION)
    return str(path)


def test_the_toml_can_be_used_as_it_is(cleanupctl: Command, application: str, tmp_path: Path) -> None:
    outcome = cleanupctl("config", "import", application, "--output", "-")
    assert outcome.code == 0
    path = tmp_path / "imported.toml"
    path.write_text(outcome.out)
    path.chmod(0o600)
    assert cleanupctl("config", "check", "--config", str(path)).code == 0
    shown = cleanupctl("config", "show", "--json", "--config", str(path)).data
    assert shown["window"]["start"] == "20:00"
    assert shown["cleanup"]["parallelism"] == 4


def test_what_has_no_counterpart_is_named_on_standard_error(cleanupctl: Command, application: str) -> None:
    outcome = cleanupctl("config", "import", application, "--format", "table")
    assert outcome.code == 0
    assert "not taken over: historyCleanupBatchThreshold = 10: " in outcome.err
    assert "not taken over: historyCleanup\\x1b[2J = 3: " in outcome.err
    assert "\x1b" not in outcome.err
    assert outcome.out.startswith("# Imported from application.yaml.")
    assert outcome.out == cleanupctl("config", "import", application, "--output", "-", "--json").out


def test_json_has_the_toml_and_what_was_taken_and_left(cleanupctl: Command, application: str) -> None:
    outcome = cleanupctl("config", "import", application, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert list(outcome.data) == ["toml", "taken", "left"]
    assert outcome.data["taken"][0] == {
        "name": "historyCleanupDegreeOfParallelism",
        "value": "4",
        "table": "cleanup",
        "key": "parallelism",
        "result": 4,
        "note": None,
    }
    assert "historyCleanupBatchThreshold" in [left["name"] for left in outcome.data["left"]]


def test_a_password_is_never_taken_over(cleanupctl: Command, application: str, tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    outcome = cleanupctl("config", "import", application, "--output", str(path))
    assert "camunda@db:5432/camunda" in path.read_text()
    assert SECRET not in path.read_text() + outcome.out + outcome.err


def test_a_file_is_written_for_its_owner_and_never_replaced_unasked(
    cleanupctl: Command, application: str, tmp_path: Path
) -> None:
    path = tmp_path / "new.toml"
    arguments = ("config", "import", application, "--output", str(path))
    outcome = cleanupctl(*arguments, "--format", "table")
    assert (outcome.code, outcome.out) == (0, "")
    assert f"wrote {path}" in outcome.err
    assert path.stat().st_mode & 0o777 == 0o600
    written = path.read_text()
    path.write_text("# mine\n")
    assert_clear(cleanupctl(*arguments), 2, "exists already", "--force")
    assert path.read_text() == "# mine\n"
    assert cleanupctl(*arguments, "--force").data["toml"] == written
    assert path.read_text() == written


def test_one_of_several_engines_can_be_named(cleanupctl: Command, tmp_path: Path) -> None:
    path = tmp_path / "bpm-platform.xml"
    path.write_text(ENGINES)
    assert "parallelism = 2" in cleanupctl("config", "import", str(path)).data["toml"]
    named = cleanupctl("config", "import", str(path), "--engine", "reporting")
    assert "parallelism = 7" in named.data["toml"]
    assert_clear(cleanupctl("config", "import", str(path), "--engine", "x"), 2, "reporting", "default")


def test_it_works_while_the_configuration_in_force_is_unusable(cleanupctl: Command, application: str) -> None:
    cleanupctl.configure("[cleanup\n")
    assert cleanupctl("config", "import", application).code == 0


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("application.yaml", "a: [", "this is not YAML"),
        ("bpm-platform.xml", "<a>", "this is not XML"),
        ("bpm-platform.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
        ("engine.toml", "", ".xml, .yaml, .yml, .properties"),
        ("gone.yaml", None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_understood_is_bad_usage(
    cleanupctl: Command, tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    output = tmp_path / "new.toml"
    outcome = cleanupctl("config", "import", str(path), "--output", str(output))
    assert_clear(outcome, 2, str(path), words)
    assert outcome.out == ""
    assert not output.exists()


def test_an_output_that_cannot_be_written_is_bad_usage(
    cleanupctl: Command, application: str, tmp_path: Path
) -> None:
    arguments = ("config", "import", application)
    assert_clear(cleanupctl(*arguments, "--output", str(tmp_path), "--force"), 2, str(tmp_path))
    assert_clear(cleanupctl(*arguments, "--output", f"{application}/x"), 2, "not a directory")
    assert_clear(cleanupctl(*arguments, "--force"), 2, "--output")
