"""Changes one line after the other of the modules that delete, and tells which change no test notices.

Works on a copy of the project. Takes seconds for each mutant, and a module has about a hundred.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from cosmic_ray.mutating import mutate_code

from tests.mutation.operators import chosen_operators
from tests.mutation.targets import ROOT, modules, tests_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NO_DECISION = ("TYPE_CHECKING", "@dataclass")
"""Lines that decide nothing while the program runs."""
LONGEST = 4
"""A run that takes so many times as long as the first one does not end: that is noticed, too."""


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield each change of a source with the name of its operator."""
    for name, operator in chosen_operators().items():
        number = 0
        while (mutant := mutate_code(source, operator, number)) is not None:
            number += 1
            try:
                changed = ast.dump(ast.parse(mutant)) != ast.dump(ast.parse(source))
            except SyntaxError:
                continue
            line = difference(source, mutant).split("\n")[1]
            if changed and not any(word in line for word in _NO_DECISION):
                yield name, mutant


def copy_of_the_project(folder: Path) -> None:
    """Copy what git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def passes(folder: Path, tests: Sequence[str], seconds: float | None = None) -> bool:
    """Run tests in a copy until one fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    # Two changes within a second would have the same compiled file.
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **quiet)  # type: ignore[call-overload]
    try:
        return bool(process.wait(seconds) == 0)
    except subprocess.TimeoutExpired:
        # pytest ends the servers of its fixtures when it is interrupted.
        process.send_signal(2)
        process.wait()
        return False


def difference(source: str, mutant: str) -> str:
    """Return what was changed, with the number of the line."""
    changes = difflib.unified_diff(source.split("\n"), mutant.split("\n"), lineterm="", n=0)
    return "\n".join(list(changes)[2:])


def main() -> None:
    """Change the modules that are named, or all, and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", default=modules(), metavar="MODULE", help="default: all")
    parser.add_argument("--minutes", type=float, help="for each module; mutants are then chosen evenly")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cleanupctl-mutation-") as name:
        folder = Path(name)
        copy_of_the_project(folder)
        for module in options.modules:
            print(f"## {module}", flush=True)
            print(_survivors(folder, module, options.minutes), flush=True)


def _survivors(folder: Path, module: str, minutes: float | None) -> str:
    path, tests = folder / module, tests_of(module)
    source = path.read_text()
    found = list(mutants(source))
    began = time.monotonic()
    if not passes(folder, tests):
        return f"without any change the tests fail: pytest {' '.join(tests)}"
    longest = LONGEST * (time.monotonic() - began) + 10
    counts: Counter[str] = Counter()
    for operator, mutant in _evenly(found):
        if minutes is not None and time.monotonic() - began > 60 * minutes:
            break
        path.write_text(mutant)
        survived = passes(folder, tests, longest)
        counts["survived" if survived else "killed"] += 1
        if survived:
            print(f"{operator}\n{difference(source, mutant)}", flush=True)
    path.write_text(source)
    tried = counts.total()
    return f"{tried} of {len(found)} mutants: {counts['killed']} killed, {counts['survived']} survived"


def _evenly(found: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield all, those first that lie far apart."""
    step = next(number for number in (7, 11, 13, 1) if len(found) % number or number == 1)
    return (found[number * step % len(found)] for number in range(len(found)))


if __name__ == "__main__":
    main()
