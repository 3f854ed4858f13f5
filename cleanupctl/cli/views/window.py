"""One batch window, and why it is open or closed: as JSON, and in words."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from cleanupctl.cli.views.window_words import clocks_in_words, day_in_words, moment, rule_in_words, span
from cleanupctl.core.times import format_instant
from cleanupctl.core.windows.rules import WEEKDAYS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cleanupctl.cli.output import Output
    from cleanupctl.core.settings import Settings
    from cleanupctl.core.windows.explanation import Considered, Explanation
    from cleanupctl.core.windows.windows import Window

NO_WINDOW = "no batch window is configured: set one with `cleanupctl window set 22:00 06:00`"


def show_answer(output: Output, settings: Settings, explanation: Explanation, *, explain: bool) -> None:
    """Write the current or next window, and with `explain` what came of every rule."""
    if not output.json:
        show_window(output, settings, explanation)
        if explain:
            _show_explanation(output, explanation, settings.timezone)
        return
    shown = answer_object(settings, explanation)
    if explain:
        shown["explanation"] = explanation_object(explanation, settings.timezone)
    output.data(shown)


def answer_object(settings: Settings, explanation: Explanation) -> dict[str, Any]:
    """Return the window that is the answer, with the keys of the engine."""
    window = explanation.answer.window if explanation.answer else None
    return window_object(window, settings.timezone, enabled=settings.cleanup.enabled)


def window_object(window: Window | None, zone: ZoneInfo, *, enabled: bool) -> dict[str, Any]:
    """Return the engine's answer to a question for the cleanup configuration."""
    return {
        "batchWindowStartTime": format_instant(window.start if window else None, zone),
        "batchWindowEndTime": format_instant(window.end if window else None, zone),
        "enabled": enabled,
    }


def explanation_object(explanation: Explanation, zone: ZoneInfo) -> dict[str, Any]:
    """Return the answer's rule and, day by day, what came of every rule."""
    answer = explanation.answer
    return {
        "at": format_instant(explanation.now, zone),
        "open": explanation.is_open,
        "rule": str(answer.rule) if answer else None,
        "days": [
            {
                "date": day.isoformat(),
                "weekday": WEEKDAYS[day.weekday()],
                "rules": [_considered_object(one, zone) for one in considered],
            }
            for day, considered in groupby(explanation.considered, key=lambda one: one.day)
        ],
    }


def _considered_object(one: Considered, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "rule": str(one.rule) if one.rule else None,
        "verdict": one.verdict.name.lower().replace("_", "-"),
        "reason": one.verdict.value,
        "start": format_instant(one.opening.start if one.opening else None, zone),
        "end": format_instant(one.opening.end if one.opening else None, zone),
    }


def show_window(output: Output, settings: Settings, explanation: Explanation) -> None:
    """Show people the current or next window; `settings` are those it was found with."""
    output.fields(_fields(settings, explanation))
    if explanation.answer is None and not settings.windows.configured:
        output.notice(NO_WINDOW)


def _fields(settings: Settings, explanation: Explanation) -> list[tuple[str, Any]]:
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


def _show_explanation(output: Output, explanation: Explanation, zone: ZoneInfo) -> None:
    def window(one: Considered) -> str:
        if one.opening is None:
            return ""
        times = (one.opening.start, one.opening.end)
        return " to ".join(moment(time, zone, seen_from=one.day) for time in times)

    output.table(
        ("DAY", "RULE", "WINDOW", "WHY, OR WHY NOT"),
        ((day_in_words(one.day), one.rule, window(one), one.verdict.value) for one in explanation.considered),
    )
