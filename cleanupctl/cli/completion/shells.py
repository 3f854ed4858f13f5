"""Shell completion: the scripts for bash, zsh and fish, and the answers to what they ask.

The shell starts the program with the command line in the environment. Typer finds out what is being
completed; here is what its own classes do not do: they import Rich to show a description, offer a path as
its own completion, load nothing at the first TAB in zsh, and start the program twice in fish.
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Any, ClassVar

from typer import core

# The only way to one's own shell classes: Typer has its Click inside, and its version is pinned.
from typer._click.shell_completion import (
    CompletionItem,
    ShellComplete,
    _resolve_context,
    _resolve_incomplete,
    add_completion_class,
)
from typer._coercion import RuntimeParam, TypeDescriptor
from typer._completion_classes import BashComplete, FishComplete, ZshComplete
from typer.core import TyperArgument, TyperOption

from cleanupctl.cli.command import COMPLETION_VARIABLE, PROGRAM

if TYPE_CHECKING:
    from types import FrameType

    from typer._click.core import Command

VARIABLE = COMPLETION_VARIABLE
FILES = "<files>"
"""The answer that lets the shell complete a path."""
ANSWER_WITHIN_SECONDS = 2.0
"""A job store that is far away must not hold up a person's shell."""

BASH_SCRIPT = """\
_cleanupctl_completion() {
    local IFS=$'\\n'
    COMPREPLY=($(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" \\
        %(variable)s=complete_bash "${1/#\\~/$HOME}" 2>/dev/null))
    if [[ ${COMPREPLY[0]-} == '%(files)s' ]]; then
        COMPREPLY=()
        compopt -o default 2>/dev/null
    fi
}

complete -F _cleanupctl_completion %(program)s
"""

ZSH_SCRIPT = """\
#compdef %(program)s

_cleanupctl_completion() {
    local -a candidates
    candidates=("${(@f)$(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" \\
        %(variable)s=complete_zsh ${~words[1]} 2>/dev/null)}")
    if [[ $candidates[1] == '%(files)s' ]]; then
        compset -P '--*='
        _files
    elif [[ -n $candidates[1] ]]; then
        _describe -V %(program)s candidates
    fi
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _cleanupctl_completion "$@"
else
    compdef _cleanupctl_completion %(program)s
fi
"""

FISH_SCRIPT = """\
function __cleanupctl_complete
    set -l line (commandline -cp | string collect)
    set -l candidates (env _TYPER_COMPLETE_ARGS="$line" _TYPER_COMPLETE_FISH_ACTION=get-args \\
        %(variable)s=complete_fish %(program)s 2>/dev/null)
    if test "$candidates[1]" = '%(files)s'
        __fish_complete_path (commandline -ct)
    else
        string match --invert -- '' $candidates
    end
end

complete --command %(program)s --no-files --arguments '(__cleanupctl_complete)'
"""


class _Answer(ShellComplete):
    """What the three shells have in common; the class after it knows how its shell asks."""

    def source_vars(self) -> dict[str, Any]:
        """Return what the scripts name."""
        return {"program": PROGRAM, "variable": VARIABLE, "files": FILES}

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """List the candidates; none when anything goes wrong: nobody can read an error at a prompt."""
        # bash makes three words of --format=json; the other two want the whole word back
        option = re.match(r"--[^=]+=", incomplete)
        given = args[:-1] if args[-1:] == ["="] else args
        try:
            with _Deadline(ANSWER_WITHIN_SECONDS):
                found = self._candidates(list(given), incomplete)
        except Exception:  # noqa: BLE001 - see above
            return []
        prefix = option[0] if option else ""
        return [
            item if item.value == FILES else CompletionItem(f"{prefix}{item.value}", help=item.help)
            for item in found
        ]

    def _candidates(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        context = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
        wanted, incomplete = _resolve_incomplete(context, args, incomplete)
        if isinstance(wanted, TyperArgument | TyperOption) and wanted.type_descriptor.is_path:
            return [CompletionItem(FILES)]
        return wanted.shell_complete(context, incomplete)

    def complete(self) -> str:
        """Return the candidates, a line each."""
        args, incomplete = self.get_completion_args()
        return "\n".join(self.format_completion(item) for item in self.get_completions(args, incomplete))


class Bash(_Answer, BashComplete):
    """Bash shows the values alone."""

    source_template: ClassVar[str] = BASH_SCRIPT

    def source(self) -> str:
        """Return the script; whoever makes it may have no bash, so its version is not asked for."""
        return ShellComplete.source(self)


class Zsh(_Answer, ZshComplete):
    """Zsh shows each value with its description, a colon between them."""

    source_template: ClassVar[str] = ZSH_SCRIPT

    def format_completion(self, item: CompletionItem) -> str:
        """Return one line for the shell's function, colons in the value escaped."""
        value = item.value.replace("\\", "\\\\").replace(":", "\\:")
        return f"{value}:{' '.join(item.help.split())}" if item.help else value


class Fish(_Answer, FishComplete):
    """Fish shows each value with its description, a tab between them."""

    source_template: ClassVar[str] = FISH_SCRIPT

    def format_completion(self, item: CompletionItem) -> str:
        """Return one line for the shell's function."""
        return f"{item.value}\t{' '.join(item.help.split())}" if item.help else str(item.value)


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}
COMPLETION_FILES = {"bash": "cleanupctl.bash", "zsh": "_cleanupctl", "fish": "cleanupctl.fish"}
"""How each shell wants the file with its script to be called."""


class _AsTyped(RuntimeParam):
    """Leaves a value as it was typed: to check it Typer imports Pydantic, half of the time of an answer."""

    def _coerce_value(self, value: Any, param: object, ctx: object) -> Any:
        return value


def _as_typed(descriptor: TypeDescriptor) -> RuntimeParam:
    return _AsTyped(descriptor.parameter_info, descriptor.annotation)


def register() -> None:
    """Prepare this process for answering a shell; it does nothing else in its life."""
    vars(core)["build_runtime_param"] = _as_typed
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)


def script(shell: str, command: Command) -> str:
    """Return the script that makes a shell ask for completions of `command`."""
    return SHELLS[shell](command, {}, PROGRAM, VARIABLE).source()


class _Deadline:
    """Raises TimeoutError in the block after some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    @staticmethod
    def _ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError
