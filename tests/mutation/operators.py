"""Changes that cosmic-ray does not know: conditions in SQL, and conditions or statements left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import parso
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names

if TYPE_CHECKING:
    from collections.abc import Iterator

_SQL = (
    (r" <= ", " < "), (r" < ", " <= "), (r" >= ", " > "), (r" > ", " >= "), (r"(?<![<>]) = %s", " <> %s"),
    (r" IS NOT NULL", " IS NULL"), (r" IS NULL", " IS NOT NULL"), (r"\bNOT EXISTS", "EXISTS"),
    (r" AND ", " OR "), (r"\bONLY ", ""),
)  # fmt: skip
_WHOLE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "=": "<>", "IS NULL": "IS NOT NULL"}
"""Strings that are nothing but an operator: they are put into SQL elsewhere."""

_CHOSEN = re.compile(
    "core/(AddNot|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceTrueWithFalse|ReplaceFalseWithTrue|NumberReplacer"
    "|ZeroIterationForLoop|ReplaceUnaryOperator_Delete_Not|ReplaceBreakWithContinue|ReplaceContinueWithBreak"
    "|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Sub_Mul)"
    "|ReplaceComparisonOperator_(Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is|In_NotIn"
    "|NotIn_In))"
)
"""Of cosmic-ray's operators those that change a decision; others change types, or say the same again."""


class SqlOperator(Operator):  # type: ignore[misc]
    """Replaces one comparison or connective in a string of SQL."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        """Yield the string once for each of its replacements."""
        for _ in _replacements(node):
            yield (node.start_pos, node.end_pos)

    def mutate(self, node: Any, index: int) -> Any:
        """Return the string with one replacement."""
        node.value = list(_replacements(node))[index]
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        """None: they would be for cosmic-ray's own tests."""
        return ()


class WithoutCondition(SqlOperator):
    """Leaves one of several conditions out: an item of what is passed to `both`."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        """Yield each item."""
        for item in _conditions(node):
            yield (item.start_pos, item.end_pos)

    def mutate(self, node: Any, index: int) -> Any:
        """Replace the item by nothing at all."""
        item = _conditions(node)[index]
        siblings = item.parent.children
        siblings[siblings.index(item)] = parso.parse("(*(),)").get_first_leaf().parent.children[1].children[0]
        return node


class WithoutStatement(SqlOperator):
    """Leaves a statement out that stands for its effect: a call, a yield."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        """Yield the statement."""
        if node.type == "simple_stmt" and node.children[0].type in ("atom_expr", "power", "yield_expr"):
            yield (node.start_pos, node.end_pos)

    def mutate(self, node: Any, index: int) -> Any:
        """Replace it, so that a generator stays one."""
        del index
        prefix = node.get_first_leaf().prefix
        said = "yield from ()" if node.children[0].type == "yield_expr" else "pass"
        return parso.parse(f"{prefix}{said}\n")


def _replacements(node: Any) -> Iterator[str]:
    if node.type not in ("string", "fstring_string") or node.parent.type == "simple_stmt":
        return
    if node.type == "string" and node.value.strip("\"'") in _WHOLE:
        yield f'"{_WHOLE[node.value.strip(chr(34) + chr(39))]}"'
        return
    for pattern, replacement in _SQL:
        for found in re.finditer(pattern, node.value):
            yield node.value[: found.start()] + replacement + node.value[found.end() :]


def _conditions(node: Any) -> list[Any]:
    """Return the items of the tuple or list in a call of `both`."""
    if node.type != "atom_expr" or getattr(node.children[0], "value", "") != "both":
        return []
    argument = node.children[1].children[1]
    if argument.type != "atom" or argument.children[1].type != "testlist_comp":
        return []
    return [one for one in argument.children[1].children if getattr(one, "value", "") != ","]


def chosen_operators() -> dict[str, Any]:
    """Return every operator that is tried, by its name."""
    known = {name: get_operator(name)() for name in sorted(operator_names()) if _CHOSEN.fullmatch(name)}
    own = {"sql": SqlOperator(), "condition": WithoutCondition(), "statement": WithoutStatement()}
    return {name.removeprefix("core/"): operator for name, operator in (known | own).items()}
