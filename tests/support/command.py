"""Running cleanupctl as a process, with a configuration and a job store of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The JSON object that is the last line of standard error."""
        found: dict[str, Any] = json.loads(self.err.strip().splitlines()[-1])
        return found


@dataclass
class Command:
    """cleanupctl with its folder: `config.toml` and `jobs.db` are in it unless said otherwise."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    store: str | None = None

    def __post_init__(self) -> None:
        self.store = self.store or f"sqlite:///{self.folder}/jobs.db"

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def configure(self, text: str) -> None:
        self.config.write_text(text)
        self.config.chmod(0o600)

    def variables(self) -> dict[str, str]:
        base = {name: os.environ[name] for name in ("PATH", "LANG", "TERM") if name in os.environ}
        base |= {"HOME": str(self.folder), "CLEANUPCTL_DATABASE": self.store or "", "TZ": "UTC"}
        if self.config.exists():
            base["CLEANUPCTL_CONFIG"] = str(self.config)
        return base | self.environment

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "cleanupctl", *arguments],
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            **({"stderr": subprocess.PIPE} | options),
        )

    def __call__(self, *arguments: str, **options: Any) -> Outcome:
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=120)
        return Outcome(process.returncode, out, err)
