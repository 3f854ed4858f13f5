"""Real shells that load a committed completion script and complete a line."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.requirement import require
from tests.support.terminal import terminal

if TYPE_CHECKING:
    from tests.support.command import Command

SCRIPTS = Path(__file__).parents[2] / "completions"
_PATIENCE_SECONDS = 30.0


def environment(command: Command) -> dict[str, str]:
    """Variables of a shell in which `cleanupctl` is this checkout's."""
    folder = command.folder / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "cleanupctl"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cleanupctl "$@"\n')
    program.chmod(0o755)
    variables = command.variables()
    return variables | {"PATH": f"{folder}:{variables['PATH']}", "TERM": "xterm"}


def bash(command: Command, line: str) -> str:
    """What bash would offer, a candidate a line; `compopt …` where it is told to look for files."""
    words = line.replace("=", " = ").split(" ")
    script = f"""
        source {shlex.quote(str(SCRIPTS / "cleanupctl.bash"))}
        compopt() {{ echo "compopt $1 $2"; }}
        [[ $(complete -p cleanupctl) =~ "-F "([^ ]+) ]] || exit 3
        COMP_WORDS=({" ".join(shlex.quote(word) for word in words)})
        COMP_CWORD={len(words) - 1}
        "${{BASH_REMATCH[1]}}" cleanupctl
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return _output([require("bash", "bash"), "--norc", "--noprofile", "-c", script], command)


def fish(command: Command, line: str) -> str:
    """What fish would offer, a candidate a line, some with a description."""
    script = f"source {shlex.quote(str(SCRIPTS / 'cleanupctl.fish'))}; complete -C {shlex.quote(line)}"
    return _output([require("fish", "fish"), "--no-config", "-c", script], command)


def _output(arguments: list[str], command: Command) -> str:
    done = subprocess.run(
        arguments,
        env=environment(command),
        cwd=command.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def zsh(command: Command, line: str) -> str:
    """What zsh shows on a terminal when TAB is pressed for the first time in its life."""
    with terminal([require("zsh", "zsh"), "-f", "-i"], environment(command), command.folder) as shell:
        # Wait for the new prompt: before it the terminal, not zsh, would take control characters.
        shell.type(
            f"fpath=({shlex.quote(str(SCRIPTS))} $fpath); LISTMAX=1000; unsetopt beep;"
            " autoload -Uz compinit; compinit -u -D; PROMPT='RE''ADY> '\n"
        )
        shell.read_until("READY>")
        shell.type(f"{line}\t\x15echo DONE$((1 + 1))\n")
        return shell.read_until("DONE2")
