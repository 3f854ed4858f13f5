"""An engine's history that is being checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.strategies.registry import strategy_of
from cleanupctl.history.databases.checks import Inspected

if TYPE_CHECKING:
    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.strategies.strategy import Strategy


@dataclass(frozen=True, slots=True)
class InspectedEngine(Inspected):
    """One history of kind `camunda` that is being checked, at one moment (aware)."""

    settings: CamundaSettings

    @property
    def strategy(self) -> Strategy:
        """What decides which rows have expired."""
        return strategy_of(self.settings)
