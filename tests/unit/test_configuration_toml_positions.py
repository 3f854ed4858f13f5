"""Lines of keys in TOML texts."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.core.configuration.toml_positions import locate_keys


def test_every_way_to_write_a_key_is_placed() -> None:
    text = '''\
# [not.a.table]
timezone = "a # b = c"
cleanup.retries = 3
"quoted \\u0041" = 1

[window] # comment
start = """
[no]
x = 1"""
end = 06:00:00
[window.'satur day']
closed = true
[[history]]
name = "one"
url = "p://x?a=[b]"
list = [ # why
  1,
  { a = 1, b = [
     { c = 2 } ] },
]
[[history.table]]
name = "t1"
[[history.table]]
name = "t2"
[[history]]
name = "two"
table = [{name = "t3"},
  {name = "t4"}]
[history.deep.er]
key = 1
'''
    tomllib.loads(text)
    lines = locate_keys(text)
    assert lines[("timezone",)] == 2
    assert lines[("cleanup", "retries")] == lines[("cleanup",)] == 3
    assert lines[("quoted A",)] == 4
    assert lines[("window",)] == 6
    assert lines[("window", "start")] == 7
    assert ("window", "x") not in lines
    assert lines[("window", "end")] == 10
    assert lines[("window", "satur day", "closed")] == 12
    assert lines[("history",)] == lines[("history", 0)] == 13
    assert lines[("history", 0, "url")] == 15
    assert lines[("history", 0, "list", 0)] == 17
    assert lines[("history", 0, "list", 1, "b")] == 18
    assert lines[("history", 0, "list", 1, "b", 0, "c")] == 19
    assert lines[("history", 0, "table", 0, "name")] == 22
    assert lines[("history", 0, "table", 1)] == 23
    assert lines[("history", 0, "table", 1, "name")] == 24
    assert lines[("history", 1, "name")] == 26
    assert lines[("history", 1, "table", 0, "name")] == 27
    assert lines[("history", 1, "table", 1, "name")] == 28
    assert lines[("history", 1, "deep", "er", "key")] == 30


def test_windows_line_ends_count_once() -> None:
    assert locate_keys("a = 1\r\n[b]\r\nc = 2\r\n")[("b", "c")] == 3


values = st.recursive(
    st.one_of(st.integers(-9, 9), st.booleans(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


def paths(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {found for key, item in items for found in {(*path, key), *paths(item, (*path, key))}}


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_every_key_of_any_document_has_a_line(document: dict[str, object]) -> None:
    import tomlkit

    text = tomlkit.dumps(document)
    assert tomllib.loads(text) == document
    lines = locate_keys(text)
    assert set(lines) == paths(document)
    assert set(lines.values()) <= set(range(1, text.count("\n") + 2))
