"""The benchmarks and their commands; `python -m tests.benchmarks NAME …` runs one."""

from __future__ import annotations

import argparse
import ast
import runpy
import sys
from pathlib import Path


def benchmarks() -> dict[str, str]:
    """What each benchmark is about, and its command: the docstrings of the modules that have a main."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        module = ast.parse(path.read_text())
        if any(isinstance(part, ast.FunctionDef) and part.name == "main" for part in module.body):
            found[path.stem] = ast.get_docstring(module) or ""
    return found


def main() -> None:
    """List, or run the one that is named with the rest of the command line."""
    found = benchmarks()
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Benchmarks: each makes its data, measures all ways in turn and ends with a table.",
        epilog="\n\n".join(
            f"{name}\n  {text.replace(chr(10), chr(10) + '  ')}" for name, text in found.items()
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", choices=found, metavar="NAME", help="the benchmark to run")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="its options; --help lists them")
    chosen = parser.parse_args()
    if chosen.name is None:
        parser.print_help()
        return
    sys.argv = [f"{parser.prog} {chosen.name}", *chosen.options]
    runpy.run_module(f"tests.benchmarks.{chosen.name}", run_name="__main__")


if __name__ == "__main__":
    main()
