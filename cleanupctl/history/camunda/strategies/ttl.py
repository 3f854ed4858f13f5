"""Which time to live counts: an override of the configuration, the definition's own, the default, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanupctl.core.settings import CamundaSettings, DefinitionKind, TtlOverride
    from cleanupctl.history.camunda.schema.definitions import Definition

OVERRIDE, DEFINITION, DEFAULT, NONE = "override", "definition", "default", "none"


@dataclass(frozen=True, slots=True)
class EffectiveTtl:
    """The days that count (None: kept for ever), and where they come from."""

    days: int | None
    source: str
    """`override`, `definition`, `default` or `none`."""


def effective_ttl(
    definition_ttl: int | None,
    *,
    key: str | None,
    tenant: str | None,
    kind: DefinitionKind,
    settings: CamundaSettings,
) -> EffectiveTtl:
    """Return the time to live of a definition; `definition_ttl` is its HISTORY_TTL_ in days.

    Of several overrides the one that says most holds: first those that name the tenant, then those that
    name the kind. An override without days keeps the history for ever. `key` and `tenant` may be None.
    """
    fitting = [one for one in settings.ttls if _fits(one, key, tenant, kind)]
    if fitting:
        best = max(fitting, key=lambda one: (one.tenant is not None, one.kind is not None))
        return EffectiveTtl(best.ttl, OVERRIDE)
    if definition_ttl is not None:
        return EffectiveTtl(definition_ttl, DEFINITION)
    if settings.default_ttl is not None:
        return EffectiveTtl(settings.default_ttl, DEFAULT)
    return EffectiveTtl(None, NONE)


def definition_ttl(definition: Definition, settings: CamundaSettings) -> EffectiveTtl:
    """Return the time to live of a definition as it was read from the database.

    Without a key nobody can tell whether an override means it: then it has none.
    """
    if definition.key is None and any(one.kind in (None, definition.kind) for one in settings.ttls):
        return EffectiveTtl(None, NONE)
    return effective_ttl(
        definition.ttl,
        key=definition.key,
        tenant=definition.tenant,
        kind=definition.kind,
        settings=settings,
    )


def _fits(override: TtlOverride, key: str | None, tenant: str | None, kind: DefinitionKind) -> bool:
    return (
        override.key == key
        and override.tenant in {None, tenant}
        and (override.kind is None or override.kind == kind)
    )


def batch_ttl(type_: str, settings: CamundaSettings) -> EffectiveTtl:
    """Return the time to live of a type of batch operation: its own, or that of all other types."""
    if type_ in settings.batch_ttl.by_type:
        return EffectiveTtl(settings.batch_ttl.by_type[type_], OVERRIDE)
    if settings.batch_ttl.default is not None:
        return EffectiveTtl(settings.batch_ttl.default, DEFAULT)
    return EffectiveTtl(None, NONE)
