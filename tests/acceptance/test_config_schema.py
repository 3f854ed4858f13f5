"""`cleanupctl config schema` as an editor gets it."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Command


@pytest.mark.parametrize("format_", ["auto", "table", "json"])
def test_it_is_json_in_every_format_and_needs_no_usable_configuration(
    cleanupctl: Command, format_: str
) -> None:
    cleanupctl.configure("paralelism = 1\n")
    outcome = cleanupctl("config", "schema", "--format", format_)
    assert (outcome.code, outcome.err) == (0, "")
    Draft202012Validator.check_schema(json.loads(outcome.out))


def test_what_is_imported_and_what_is_shown_is_valid(cleanupctl: Command, tmp_path: Path) -> None:
    validator = Draft202012Validator(cleanupctl("config", "schema").data)
    application = tmp_path / "application.yaml"
    application.write_text(
        "camunda.bpm.generic-properties.properties:\n"
        "  historyCleanupBatchWindowStartTime: '20:00'\n"
        "  historyCleanupDegreeOfParallelism: 2\n"
        "  historyCleanupStrategy: endTimeBased\n"
    )
    imported = tomllib.loads(cleanupctl("config", "import", str(application), "--output", "-").out)
    assert imported["cleanup"]["parallelism"] == 2
    validator.validate(imported)
    shown = tomllib.loads(cleanupctl("config", "show", "--format", "table").out)
    assert shown["cleanup"]["parallelism"] == 1
    validator.validate(shown)
    assert not validator.is_valid({"paralelism": 1})
