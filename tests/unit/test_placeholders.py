"""Statements as drivers want them: bound values stand outside of quotes, names inside mean themselves."""

from __future__ import annotations

import pytest

from cleanupctl.history.databases.placeholders import for_format_driver, for_qmark_driver


@pytest.mark.parametrize(
    ("sql", "formatted", "marked"),
    [
        ("SELECT 1", "SELECT 1", "SELECT 1"),
        ("a = %s AND b = %s", "a = %s AND b = %s", "a = ? AND b = ?"),
        ('"100%s" = %s', '"100%%s" = %s', '"100%s" = ?'),
        ("`100%s` = %s", "`100%%s` = %s", "`100%s` = ?"),
        ("x LIKE '50% of %s' OR y = %s", "x LIKE '50%% of %%s' OR y = %s", "x LIKE '50% of %s' OR y = ?"),
        ('"a""%s" = %s', '"a""%%s" = %s', '"a""%s" = ?'),
        ('"it\'s %s" = %s', '"it\'s %%s" = %s', '"it\'s %s" = ?'),
        ('`a"%s` = %s AND `b"%s` = %s', '`a"%%s` = %s AND `b"%%s` = %s', '`a"%s` = ? AND `b"%s` = ?'),
        ("t.\"x\\\" = %s AND '%' = %s", "t.\"x\\\" = %s AND '%%' = %s", "t.\"x\\\" = ? AND '%' = ?"),
    ],
)
def test_only_what_stands_outside_of_quotes_is_a_bound_value(sql: str, formatted: str, marked: str) -> None:
    assert for_format_driver(sql) == formatted
    assert for_qmark_driver(sql) == marked
