"""The strategies by their names in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.strategies.end_time import EndTime
from cleanupctl.history.camunda.strategies.removal_time import RemovalTime

if TYPE_CHECKING:
    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.strategies.strategy import Strategy

STRATEGIES: dict[str, type[Strategy]] = {one.name: one for one in (RemovalTime, EndTime)}


def strategy_of(settings: CamundaSettings) -> Strategy:
    """Return the strategy of a configured history; the only place that compares its name."""
    return STRATEGIES[settings.strategy](settings)
