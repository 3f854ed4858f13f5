"""`cleanupctl window show`: whether cleanup may run now or at any time, from when to when, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanupctl.cli.context import Context

if TYPE_CHECKING:
    from datetime import datetime

    from cleanupctl.core.settings import Settings
    from cleanupctl.core.windows.explanation import Considered, Explanation

NO_WINDOW = "no batch window is configured: set one with `cleanupctl window set 22:00 06:00`"


def show(
    context: Context,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Answer for this instant, not for now: 2026-12-24T22:00 (in the configured time zone),"
            " 2026-12-24T22:00+01:00 or a date.",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which rule makes the window, and why not the others.")
    ] = False,
) -> None:
    """Show the current or next batch window."""
    from cleanupctl.cli.views.jobs import window_object
    from cleanupctl.cli.views.windows import explanation_object
    from cleanupctl.core.windows import explanation as explaining

    settings = context.settings
    now = instant_of(context, at) or context.now()
    explanation = explaining.explain(settings.windows, now)
    if not context.output.json:
        show_window(context, settings, explanation)
        if explain:
            _show_explanation(context, explanation)
        return
    window = explanation.answer.window if explanation.answer else None
    shown: dict[str, Any] = window_object(window, settings.timezone, enabled=settings.cleanup.enabled)
    if explain:
        shown["explanation"] = explanation_object(explanation, settings.timezone)
    context.output.data(shown)


def _show_explanation(context: Context, explanation: Explanation) -> None:
    from cleanupctl.cli.views.windows import day_in_words, moment

    zone = context.settings.timezone

    def window(one: Considered) -> str:
        if one.opening is None:
            return ""
        times = (one.opening.start, one.opening.end)
        return " to ".join(moment(time, zone, seen_from=one.day) for time in times)

    context.output.table(
        ("DAY", "RULE", "WINDOW", "WHY, OR WHY NOT"),
        ((day_in_words(one.day), one.rule, window(one), one.verdict.value) for one in explanation.considered),
    )


def instant_of(context: Context, text: str | None) -> datetime | None:
    """Read a time given as an option, in the configured zone. Raises InvalidValueError."""
    from cleanupctl.core.times import parse_instant

    return None if text is None else parse_instant(text, context.settings.timezone)


def show_window(context: Context, settings: Settings, explanation: Explanation) -> None:
    """Show people the current or next window; `settings` are those it was found with."""
    context.output.fields(_fields(settings, explanation))
    if explanation.answer is None and not settings.windows.configured:
        context.output.notice(NO_WINDOW)


def _fields(settings: Settings, explanation: Explanation) -> list[tuple[str, Any]]:
    from cleanupctl.cli.views.windows import clocks_in_words, moment, rule_in_words, span

    zone, now, answer = settings.timezone, explanation.now, explanation.answer
    fields: list[tuple[str, Any]] = [("at", f"{moment(now, zone)} ({zone})")]
    if answer is None:
        fields.append(("batch window", "none"))
    else:
        fields += [
            ("batch window", "open" if explanation.is_open else "closed"),
            ("opened" if explanation.is_open else "opens", moment(answer.start, zone)),
            ("closes", moment(answer.end, zone)),
            ("length", span(answer.length)),
            ("closes in", span(answer.end - now))
            if explanation.is_open
            else ("opens in", span(answer.start - now)),
            ("rule", rule_in_words(answer.rule, settings.windows)),
        ]
        if clocks := clocks_in_words(answer):
            fields.append(("clocks", clocks))
    takes_part = settings.cleanup.enabled
    return [*fields, ("takes part", "yes" if takes_part else "no: [cleanup] enabled is false")]
