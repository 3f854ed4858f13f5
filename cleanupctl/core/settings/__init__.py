"""Settings as frozen values; each key of the configuration file is declared once, on its field."""

from cleanupctl.core.settings.cleanup import CleanupSettings, Strategy, ThrottleSettings
from cleanupctl.core.settings.histories import (
    HISTORY_KINDS,
    BatchTtls,
    CamundaSettings,
    DefinitionKind,
    Hierarchy,
    HistoryKind,
    HistorySettings,
    ImplausibleTimes,
    TableSettings,
    TablesSettings,
    TimeFormat,
    TtlOverride,
    UnsetTime,
    WithoutInstanceTtls,
)
from cleanupctl.core.settings.settings import Settings

__all__ = [
    "HISTORY_KINDS",
    "BatchTtls",
    "CamundaSettings",
    "CleanupSettings",
    "DefinitionKind",
    "Hierarchy",
    "HistoryKind",
    "HistorySettings",
    "ImplausibleTimes",
    "Settings",
    "Strategy",
    "TableSettings",
    "TablesSettings",
    "ThrottleSettings",
    "TimeFormat",
    "TtlOverride",
    "UnsetTime",
    "WithoutInstanceTtls",
]
