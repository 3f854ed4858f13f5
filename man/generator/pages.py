"""The man pages of the commands, made from the live command tree, its help, examples and exit codes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperCommand, TyperGroup
from typer.main import get_command

from cleanupctl import __version__
from cleanupctl.cli.app import build_app
from cleanupctl.cli.command import MANUALS, Example, Manual
from cleanupctl.core.errors import ExitCode
from man.generator.changes import releases
from man.generator.formats import FORMATS, INSTANTS
from man.generator.texts import DEFAULTS, ENVIRONMENT, FILES, GLOSSARY, OVERVIEW
from man.generator.troff import Page, bold, italic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMON = ("--config", "--database", "--format", "--json")
_BRACKET = re.compile(r"\s*\[(?:\$(?P<variable>[A-Z_]+)|default: (?P<default>[^]]+))\]")


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the tree with all that is known of it."""

    path: tuple[str, ...]
    """Its words without the program's name; empty for the program itself."""
    help: str
    parameters: tuple[Any, ...]
    """Its own arguments and options, without the common ones."""
    manual: Manual
    children: tuple[Command, ...]
    default: str | None = None
    """Of a group: the child that it is without one."""

    @property
    def name(self) -> str:
        """Return what is typed: `cleanupctl jobs show`."""
        return " ".join(("cleanupctl", *self.path))

    @property
    def page(self) -> str:
        """Return the name of its man page, or of the one whose section it is."""
        return "-".join(("cleanupctl", *self.path[:1]))

    def walk(self) -> Iterator[Command]:
        """Yield the command and everything under it."""
        yield self
        for child in self.children:
            yield from child.walk()


def command_tree() -> Command:
    """Return the program's own command tree."""
    return _command(get_command(build_app()), ())


def _command(command: Any, path: tuple[str, ...]) -> Command:
    manual = MANUALS.get(getattr(command.callback, "__wrapped__", None), Manual((), ()))  # type: ignore[arg-type]
    own = [parameter for parameter in command.params if not set(parameter.opts) & set(COMMON)]
    visible = {name: child for name, child in getattr(command, "commands", {}).items() if not child.hidden}
    return Command(
        path=path,
        help=" ".join((command.help or "").split()),
        parameters=tuple(own),
        manual=manual,
        children=tuple(_command(child, (*path, name)) for name, child in visible.items()),
        default=_default(command, visible) if path and visible else None,
    )


def _default(group: TyperGroup, children: dict[str, TyperCommand]) -> str | None:
    """Find the child that does what the group does: it was made of the same function."""
    for name, child in children.items():
        if group.callback and child.callback and group.callback.__name__ == child.callback.__name__:
            return name
    return None


def command_pages() -> dict[str, str]:
    """Return the source of each page by its file name: of the program, and of each command under it."""
    root = command_tree()
    pages = {"cleanupctl.1": _program(root)}
    for command in root.children:
        write = _group if command.children else _single
        pages[f"{command.page}.1"] = write(command, root)
    return pages


def new_page(name: str, section: int, summary: str) -> Page:
    """Begin a page with the section NAME."""
    manual = {1: "User Commands", 5: "File Formats"}[section]
    page = Page(name, section, date=releases()[0].date, source=f"cleanupctl {__version__}", manual=manual)
    page.name(name, summary[:1].lower() + summary[1:].rstrip("."))
    return page


def _program(root: Command) -> str:
    page = new_page("cleanupctl", 1, root.help)
    page.section("SYNOPSIS")
    page.commands([_synopsis(root), f"{bold('cleanupctl')} {italic('COMMAND')} {bold('--help')}"])
    page.section("DESCRIPTION")
    page.paragraphs(OVERVIEW)
    page.section("GLOSSARY")
    for word, meaning in GLOSSARY:
        page.entry(bold(word), meaning)
    page.section("COMMANDS")
    for command in root.children:
        page.entry(f"{bold(command.page)}(1)", command.help)
        if command.children:
            with page.indented():
                for child in command.children:
                    page.entry(bold(child.name), child.help)
    page.section("OPTIONS")
    _options(page, root)
    _common_options(page)
    _examples(page, root.manual.examples)
    _exit_status(page, tuple(ExitCode))
    _surroundings(page)
    page.section("HISTORY")
    for release in releases():
        page.entry(bold(release.version), f"{release.date}: {'; '.join(release.changes)}.")
    _see_also(page, root, "cleanupctl")
    return str(page)


def _single(command: Command, root: Command) -> str:
    page = new_page(command.page, 1, command.help)
    page.section("SYNOPSIS")
    page.commands([_synopsis(command)])
    page.section("DESCRIPTION")
    page.paragraphs(f"{command.help}\n\n{command.manual.details}")
    page.section("OPTIONS")
    _options(page, command)
    _common_options(page)
    if command.path in FORMATS:
        page.section("OUTPUT")
        _format(page, command)
        page.paragraphs(INSTANTS)
    _examples(page, command.manual.examples)
    _exit_status(page, command.manual.exit_codes)
    _surroundings(page)
    _see_also(page, root, command.page)
    return str(page)


def _group(group: Command, root: Command) -> str:
    page = new_page(group.page, 1, group.help)
    page.section("SYNOPSIS")
    page.commands([_synopsis(command) for command in group.walk() if command is not group or group.default])
    page.section("DESCRIPTION")
    page.paragraphs(group.help)
    if group.default:
        page.paragraphs(f"Without a command it does what `{group.name} {group.default}` does.")
    page.section("COMMANDS")
    for command in list(group.walk())[1:]:
        page.subsection(" ".join(command.path[1:]).upper())
        page.commands([_synopsis(command)])
        page.paragraphs(f"{command.help}\n\n{command.manual.details}")
        _options(page, command)
        if command.path in FORMATS:
            _format(page, command, "As JSON: ")
    page.section("OPTIONS")
    page.paragraphs("All of these commands have them; they may also stand right after `cleanupctl`:")
    _common_options(page)
    if any("dueDate" in key for command in group.walk() for key, _ in _keys(command)):
        page.section("OUTPUT")
        page.paragraphs(INSTANTS)
    _examples(page, [example for command in group.walk() for example in command.manual.examples])
    _exit_status(page, sorted({code for command in group.walk() for code in command.manual.exit_codes}))
    _surroundings(page)
    _see_also(page, root, group.page)
    return str(page)


def _synopsis(command: Command) -> str:
    if not command.path:
        return f"{bold('cleanupctl')} [{italic('OPTION')}]... {italic('COMMAND')} [{italic('ARGUMENT')}]..."
    options = [f"[{_tag(each)}]{_dots(each)}" for each in command.parameters if not _is_argument(each)]
    arguments = [_argument(each) for each in command.parameters if _is_argument(each)]
    return " ".join([bold(command.name), *options, f"[{italic('COMMON OPTIONS')}]", *arguments])


def _is_argument(parameter: Any) -> bool:
    return isinstance(parameter, TyperArgument)


def _argument(argument: Any) -> str:
    name = str(argument.metavar or argument.name.upper()).strip("[]").rstrip("…")
    shown = f"{italic(name)}{_dots(argument)}"
    return shown if argument.required else f"[{shown}]"


def _dots(parameter: Any) -> str:
    return "..." if parameter.nargs == -1 or getattr(parameter, "multiple", False) else ""


def _tag(option: Any) -> str:
    """Return an option as it is typed, with its other names and its value."""
    names = " | ".join(bold(name) for name in (*option.opts, *option.secondary_opts))
    if option.is_flag:
        return names
    choices = [str(getattr(choice, "value", choice)) for choice in option.type_descriptor.choices or ()]
    value = "|".join(bold(choice) for choice in choices) or italic(option.metavar or option.name.upper())
    return f"{names} {value}"


def _options(page: Page, command: Command) -> None:
    for parameter in sorted(command.parameters, key=lambda each: not _is_argument(each)):
        tag = _argument(parameter).strip("[]") if _is_argument(parameter) else _tag(parameter)
        page.entry(tag, _meaning(parameter))


def _meaning(parameter: Any) -> str:
    """Return the help of a parameter, with its default and variable as sentences."""
    text = parameter.help or ""
    default = DEFAULTS.get(parameter.opts[0], "")
    if parameter.secondary_opts:
        default = f"`{parameter.opts[0] if parameter.default else parameter.secondary_opts[0]}`"
    elif isinstance(parameter.default, int) and not isinstance(parameter.default, bool):
        default = str(parameter.default)
    variables = []
    for match in _BRACKET.finditer(text):
        default = match["default"] or default
        variables += [f"`{match['variable']}`"] if match["variable"] else []
    sentences = [_BRACKET.sub("", text).rstrip(".")]
    sentences += [f"Default: {default}"] if default else []
    sentences += [f"Environment: {', '.join(variables)}"] if variables else []
    return "".join(f"{sentence}. " for sentence in sentences)


def _common_options(page: Page) -> None:
    for parameter in _program_parameters():
        if set(parameter.opts) & set(COMMON):
            page.entry(_tag(parameter), _meaning(parameter))
    page.entry(bold("--help"), "Show a short help with examples and exit.")


@cache
def _program_parameters() -> tuple[Any, ...]:
    return tuple(get_command(build_app()).params)


def _keys(command: Command) -> tuple[tuple[str, str], ...]:
    return FORMATS[command.path].keys if command.path in FORMATS else ()


def _format(page: Page, command: Command, lead: str = "As JSON the output is: ") -> None:
    format_ = FORMATS[command.path]
    page.paragraphs(lead + format_.sentence[:1].lower() + format_.sentence[1:])
    for keys, meaning in format_.keys:
        page.entry(", ".join(bold(key) for key in keys.split(", ")), meaning)


def _examples(page: Page, examples: Sequence[Example]) -> None:
    page.section("EXAMPLES")
    for example in dict.fromkeys(examples):
        page.paragraphs(f"{example.purpose[:1].upper()}{example.purpose[1:]}:")
        page.code(example.command)


def _exit_status(page: Page, codes: Sequence[ExitCode]) -> None:
    page.section("EXIT STATUS")
    for code in codes:
        page.entry(bold(str(int(code))), f"{code.meaning[:1].upper()}{code.meaning[1:]}.")


def _surroundings(page: Page) -> None:
    for title, entries in (("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        page.section(title)
        for name, meaning in entries:
            page.entry(bold(name) if title == "ENVIRONMENT" else italic(name), meaning)


def _see_also(page: Page, root: Command, this: str) -> None:
    names = sorted({root.page, *(command.page for command in root.children)} - {this})
    references = [f"{bold(name)}(1)" for name in names] + [f"{bold('cleanupctl.toml')}(5)"]
    page.section("SEE ALSO")
    page.commands([", ".join(references)])
