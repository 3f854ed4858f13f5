"""Which columns say what a row belongs to; the cascade plans lead by them to all that an instance has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import ROOT, Part
from cleanupctl.history.camunda.schema.tables import CHILD_TABLES, ENGINE_TABLES

if TYPE_CHECKING:
    from cleanupctl.history.camunda.schema.definitions import EngineKind

INSTANCE, ROOT_DECISION = "PROC_INST_ID_", "ROOT_DEC_INST_ID_"
VALUES = tuple(one for one in CHILD_TABLES if one.part is Part.DECISION_VALUE)
"""What went into decision instances, and what came out of them."""
WITH_BYTE_ARRAYS = tuple(one for one in ENGINE_TABLES.values() if one.part is Part.CHILD and one.byte_arrays)
"""Tables whose rows belong to an instance and refer to byte arrays, in the order in which these are looked
for."""


def root_column(kind: EngineKind) -> str:
    """Return the column that has the root of an instance."""
    return ROOT_DECISION if kind.kind == "decision" else ROOT
