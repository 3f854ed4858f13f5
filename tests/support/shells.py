"""Real shells that load a committed completion script and complete a line."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.requirement import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.command import Command

SCRIPTS = Path(__file__).parents[2] / "completions"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")
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
    with _terminal([require("zsh", "zsh"), "-f", "-i"], command) as terminal:
        # Wait for the new prompt: before it the terminal, not zsh, would take control characters.
        terminal.type(
            f"fpath=({shlex.quote(str(SCRIPTS))} $fpath); LISTMAX=1000; unsetopt beep;"
            " autoload -Uz compinit; compinit -u -D; PROMPT='RE''ADY> '\n"
        )
        terminal.read_until("READY>")
        terminal.type(f"{line}\t\x15echo DONE$((1 + 1))\n")
        return terminal.read_until("DONE2")


class _Terminal:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def read_until(self, word: str) -> str:
        """Return what is shown until a word is, a blank for each escape sequence."""
        shown, deadline = b"", time.monotonic() + _PATIENCE_SECONDS
        while word not in (text := _ESCAPES.sub(" ", shown.decode(errors="replace"))):
            ready, _, _ = select.select([self._descriptor], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"{word} never came: {text}"
            shown += os.read(self._descriptor, 65536)
        return text


@contextmanager
def _terminal(arguments: list[str], command: Command) -> Iterator[_Terminal]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 250, 0, 0))
    options: dict[str, Any] = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    process = subprocess.Popen(
        arguments, env=environment(command), cwd=command.folder, start_new_session=True, **options
    )
    os.close(theirs)
    try:
        yield _Terminal(ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
