"""What every error of a command must be: one clear object with its exit code, and no secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.command import Outcome


SECRET = "s3cret-pa55word"


def assert_clear(outcome: Outcome, code: int, *words: str) -> None:
    """One JSON object with the documented code; no traceback; no secret."""
    assert outcome.code == code, outcome.err
    assert "Traceback" not in outcome.err
    assert SECRET not in outcome.err + outcome.out
    assert outcome.error["code"] == code
    for word in words:
        assert word in json.dumps(outcome.error, ensure_ascii=False)
