"""Text from anywhere is shown and never obeyed, and JSON keeps its meaning."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as some

from cleanupctl.cli.escapes import in_json, in_lines, on_one_line

HOSTILE = "a\x1b]0;title\x07\x1b[2J\x9b31m\r\nforged\u202eb\u2066\u2028c\u200b\x7f\udc80\U000e0041"
TEXT = some.text(some.characters(), max_size=40)


def obeyed(text: str) -> set[str]:
    return {one for one in text if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}


def test_controls_marks_of_direction_and_breaks_are_shown_as_escapes() -> None:
    assert on_one_line(HOSTILE) == (
        "a\\x1b]0;title\\x07\\x1b[2J\\x9b31m\\r\\nforged\\u202eb\\u2066\\u2028c\\u200b\\x7f\\udc80\\U000e0041"
    )


def test_words_of_every_language_stay_as_they_are() -> None:
    said = "Größe 表 مرحبا می\u200cم नमस्ते 👩\u200d🚀 co\u00adop"
    assert on_one_line(said) == said == in_lines(said)


@given(TEXT)
def test_one_line_stays_one_line(text: str) -> None:
    assert obeyed(on_one_line(text)) <= {"\u00ad", "\u200c", "\u200d"}
    assert "\n" not in on_one_line(text)


@given(TEXT)
def test_json_means_the_same(text: str) -> None:
    value = {text: [text, 1, None], "x": {"y": text}}
    shown = in_json(json.dumps(value, indent=2, ensure_ascii=False))
    assert json.loads(shown) == value
    assert obeyed(shown) <= {"\n", "\u00ad", "\u200c", "\u200d"}


def test_of_several_lines_only_the_breaks_and_tabs_stay() -> None:
    assert in_lines("one\n\ttwo\x1b[2J\n") == "one\n\ttwo\\x1b[2J\n"
