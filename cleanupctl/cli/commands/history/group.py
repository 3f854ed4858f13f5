"""`cleanupctl history`: the histories themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.cli.command import command, default_command, group
from cleanupctl.core.errors import ExitCode

if TYPE_CHECKING:
    import typer

    from cleanupctl.cli.context import Context


_STOPPABLE = (
    ExitCode.CLEANUP_FAILED,
    ExitCode.NOT_FOUND,
    ExitCode.INCOMPLETE,
    ExitCode.UNREACHABLE,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
)
"""Of commands that write into a history for a while."""


def add_to(app: typer.Typer) -> None:
    """Register the group and its commands."""
    history = group("Look at the histories: the databases whose expired rows are cleaned.")
    default_command(history, examples=[("cleanupctl history", "what is configured; passwords never shown")])(
        list_histories
    )
    command(
        history, "list", examples=[("cleanupctl history list", "what is configured; passwords never shown")]
    )(list_histories)
    _add_check(history)
    _add_report(history)
    _add_explain(history)
    _add_ttl(history)
    _add_set_removal_time(history)
    _add_orphans(history)
    app.add_typer(history, name="history")


def _add_check(history: typer.Typer) -> None:
    from cleanupctl.cli.commands.history.check import DETAILS, check

    command(
        history,
        "check",
        examples=[
            ("cleanupctl history check", "every configured history"),
            ("cleanupctl history check orders-engine", "this one"),
            ("cleanupctl history check --json", "for a monitoring system: exit status 3 with errors"),
        ],
        exit_codes=[ExitCode.CLEANUP_FAILED, ExitCode.NOT_FOUND, ExitCode.UNREACHABLE],
        details=DETAILS,
    )(check)


def _add_report(history: typer.Typer) -> None:
    from cleanupctl.cli.commands.history.report import DETAILS, report

    command(
        history,
        "report",
        examples=[
            ("cleanupctl history report", "every engine's history"),
            ("cleanupctl history report orders-engine --compact", "only what has something to clean"),
            ("cleanupctl history report orders-engine --exact", "count also the biggest tables"),
        ],
        exit_codes=[ExitCode.CLEANUP_FAILED, ExitCode.NOT_FOUND, ExitCode.UNREACHABLE],
        details=DETAILS,
    )(report)


def _add_explain(history: typer.Typer) -> None:
    from cleanupctl.cli.commands.history.explain import DETAILS, explain

    command(
        history,
        "explain",
        examples=[
            ("cleanupctl history explain 3b1f8a52-0c1e-11ee-a3f4-0242ac110002", "in whichever history it is"),
            ("cleanupctl history explain 74bd92a --history orders-engine", "only in this one"),
        ],
        exit_codes=[ExitCode.CLEANUP_FAILED, ExitCode.NOT_FOUND, ExitCode.UNREACHABLE],
        details=DETAILS,
    )(explain)


def _add_ttl(history: typer.Typer) -> None:
    from cleanupctl.cli.commands.history import ttl as history_ttl

    ttl = group("Look at the time to live of the engine's definitions, and change it.")
    failures = [ExitCode.CLEANUP_FAILED, ExitCode.NOT_FOUND, ExitCode.UNREACHABLE]
    default_command(
        ttl,
        examples=[("cleanupctl history ttl", "every definition, and what has no time to live")],
        exit_codes=failures,
        details=history_ttl.DETAILS,
    )(history_ttl.show)
    command(
        ttl,
        "set",
        examples=[
            ("cleanupctl history ttl set invoice P30D --dry-run", "look first"),
            ("cleanupctl history ttl set invoice P30D --all-versions", "every version"),
            ("cleanupctl history ttl set invoice P30D --version 3", "this one only"),
            ("cleanupctl history ttl set rating none --kind decision", "keep its history for ever"),
        ],
        exit_codes=[*failures, ExitCode.INTERRUPTED, ExitCode.TERMINATED],
        details=history_ttl.SET_DETAILS,
    )(history_ttl.set_)
    history.add_typer(ttl, name="ttl")


def _add_set_removal_time(history: typer.Typer) -> None:
    from cleanupctl.cli.commands.history.set_removal_time import DETAILS, set_removal_time

    command(
        history,
        "set-removal-time",
        examples=[
            ("cleanupctl history set-removal-time --calculate --without --dry-run", "look first"),
            ("cleanupctl history set-removal-time --calculate --without --hierarchical", "whole trees"),
            ("cleanupctl history set-removal-time --clear --definition-key invoice", "keep them for ever"),
        ],
        exit_codes=_STOPPABLE,
        details=DETAILS,
    )(set_removal_time)


def _add_orphans(history: typer.Typer) -> None:
    from cleanupctl.cli.commands.history.orphans import DETAILS, orphans

    command(
        history,
        "orphans",
        examples=[
            ("cleanupctl history orphans", "count them"),
            ("cleanupctl history orphans orders-engine --delete", "remove them"),
        ],
        exit_codes=_STOPPABLE,
        details=DETAILS,
    )(orphans)


def list_histories(context: Context) -> None:
    """List the configured histories."""
    from cleanupctl.cli.commands.history.choice import no_history
    from cleanupctl.cli.views.histories import show_histories

    show_histories(context.output, context.settings.histories, no_history(context))
