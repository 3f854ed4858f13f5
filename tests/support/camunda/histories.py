"""A history of kind `camunda` with nothing but its address, and looking at its database."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from cleanupctl.core.settings import CamundaSettings
from cleanupctl.core.urls import parse_url
from tests.support.servers import connect


def settings(url: str) -> CamundaSettings:
    return CamundaSettings(name="engine", url=parse_url(url), timezone=ZoneInfo("UTC"))


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []
