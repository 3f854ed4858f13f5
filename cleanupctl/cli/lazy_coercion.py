"""Values of options without pydantic: Typer loads it for every parameter, also for those nobody gave.

It costs more than all the rest of a call. Here it is loaded only for values that need it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer import core
from typer._coercion import RuntimeParam, TypeDescriptor, build_runtime_param

if TYPE_CHECKING:
    from typer._click import Context
    from typer.core import _TyperParameter


class LateValue(RuntimeParam):
    """Takes texts and plain paths as they are, and leaves every other value to Typer."""

    def _coerce_value(self, value: Any, param: _TyperParameter, ctx: Context) -> Any:
        descriptor = param.type_descriptor
        if isinstance(value, str):
            if self.annotation is str or (descriptor.choices and value in descriptor.choices):
                return value
            if self.annotation is Path and _takes_any(descriptor.parameter_info):
                return Path(value)
        return build_runtime_param(descriptor)._coerce_value(value, param, ctx)


def _takes_any(info: Any) -> bool:
    """Whether a path is not looked at: neither where it leads nor what is there."""
    checks = (info.exists, info.resolve_path, info.path_type, info.parser, info.allow_dash)
    return not any(checks) and info.file_okay and info.dir_okay


def _late(descriptor: TypeDescriptor) -> RuntimeParam:
    if descriptor.is_file:
        return build_runtime_param(descriptor)
    return LateValue(descriptor.parameter_info, descriptor.annotation)


def coerce_lazily() -> None:
    """Let the parameters of every command do without pydantic."""
    # Typer has no setting for it; the range of versions in pyproject.toml is the one this was made for.
    core.build_runtime_param = _late  # type: ignore[attr-defined]  # it is there all the same
