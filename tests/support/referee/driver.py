"""The real engines in a Java process of their own: built with Maven and javac, driven with JSON lines."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleanupctl.core.urls import parse_url
from tests.support.engine_schema import CAMUNDA, CIBSEVEN, OPERATON
from tests.support.maven import download
from tests.support.requirement import missing, require

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCES = Path(__file__).parent / "driver_sources"
_ANSWER_SECONDS = 240
_QUICK_START = ("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_JDBC = {
    "postgresql": "jdbc:postgresql://{0.host}:{0.port}/{0.database}",
    # The engine insists on this isolation level.
    "mysql": "jdbc:mariadb://{0.host}:{0.port}/{0.database}?transactionIsolation=READ-COMMITTED",
}


class EngineError(Exception):
    """A command failed in the engine; the message is Java's stack trace."""


@dataclass(frozen=True)
class Engine:
    """An engine on Maven Central; the driver is written for Camunda, and renamed for its descendants."""

    artifact: str
    databases: dict[str, str]
    """What the engine calls each kind of database."""
    renamed: tuple[tuple[str, str], ...] = ()

    def source(self, text: str) -> str:
        """The driver's source for this engine."""
        for old, new in self.renamed:
            text = text.replace(old, new)
        return text


ENGINES = {
    # Camunda no longer knows MariaDB, which understands what it says to MySQL.
    "camunda": Engine(CAMUNDA, {"postgresql": "postgres", "mysql": "mysql"}),
    "operaton": Engine(
        OPERATON,
        {"postgresql": "postgres", "mysql": "mariadb"},
        (("org.camunda.bpm", "org.operaton.bpm"), ("camundajar", "operatonjar")),
    ),
    "cibseven": Engine(
        CIBSEVEN,
        {"postgresql": "postgres", "mysql": "mariadb"},
        (("org.camunda.bpm", "org.cibseven.bpm"),),
    ),
}


class Driver:
    """A running driver. It has at most one engine open, on one database."""

    def __init__(
        self, engine: Engine, process: subprocess.Popen[str], log: Path, answer_seconds: float
    ) -> None:
        self._engine = engine
        self._process = process
        self._log = log
        self._answer_seconds = answer_seconds

    def __call__(self, command: str, **arguments: Any) -> Any:
        """Send a command and wait for its result. Raises EngineError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        limit = threading.Timer(self._answer_seconds, self._process.kill)
        limit.start()
        try:
            print(json.dumps({"command": command, **arguments}), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        finally:
            limit.cancel()
        if not line:
            raise EngineError(
                f"the driver ended during {command}; its log ends:\n{self._log.read_text()[-2000:]}"
            )
        answer = json.loads(line)
        if "error" in answer:
            raise EngineError(answer["error"])
        return answer.get("result")

    @contextlib.contextmanager
    def engine(self, url: str, **configuration: Any) -> Iterator[Driver]:
        """Open the engine on a database; closed afterwards, its connections too."""
        place = parse_url(url)
        self(
            "start",
            url=_JDBC[place.scheme].format(place),
            database=self._engine.databases[place.scheme],
            user=place.user,
            password=place.password,
            **configuration,
        )
        try:
            yield self
        finally:
            self("close")


@contextlib.contextmanager
def running_driver(
    engine: Engine,
    timezone: str,
    *,
    options: tuple[str, ...] = _QUICK_START,
    answer_seconds: float = _ANSWER_SECONDS,
) -> Iterator[Driver]:
    """Start the driver of an engine whose wall clock is that of a zone. Skips (CI: fails) without Java.

    `options` are Java's; a command that takes longer than `answer_seconds` ends the driver.
    """
    java = require("java", "default-jdk-headless")
    program = built_driver(engine)
    with tempfile.TemporaryDirectory(prefix="cleanupctl-engine-") as folder:
        log = Path(folder) / "driver.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [
                    java, *options, f"-Duser.timezone={timezone}",
                    "-cp", f"{program / 'classes'}:{program / 'lib'}/*", "referee.Driver",
                ],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder,
            )  # fmt: skip
        try:
            yield Driver(engine, process, log, answer_seconds)
        finally:
            # The driver ends at the end of its input; so it does when pytest itself is killed.
            process.communicate(timeout=60)


def built_driver(engine: Engine) -> Path:
    """Folder with the engine's jars and the driver's classes; built once, then taken from the cache."""
    import platformdirs

    javac = require("javac", "default-jdk-headless")
    _, name, version = engine.artifact.split(":")
    files = sorted(path for path in _SOURCES.rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    cache = platformdirs.user_cache_path("cleanupctl-tests")
    built = cache / f"driver-{name}-{version}-{digest}"
    if not built.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _build(engine, javac, Path(folder) / "built")
            # Two sessions may build at the same time: the second finds the first one's.
            with contextlib.suppress(FileExistsError, OSError):
                (Path(folder) / "built").rename(built)
    return built


def _build(engine: Engine, javac: str, folder: Path) -> None:
    sources, libraries = folder / "src", folder / "lib"
    sources.mkdir(parents=True)
    for path in (_SOURCES / "src").rglob("*.java"):
        (sources / path.name).write_text(engine.source(path.read_text()))
    shutil.copy(_SOURCES / "pom.xml", folder)
    group, name, version = engine.artifact.split(":")
    download(
        [
            "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={libraries}",
            f"-Dengine.group={group}", f"-Dengine.artifact={name}", f"-Dengine.version={version}",
        ],
        folder,
    )  # fmt: skip
    if not list(libraries.glob(f"{name}-*.jar")):
        missing(f"Maven did not bring {engine.artifact}")
    command = [javac, "-nowarn", "-d", str(folder / "classes"), "-cp", f"{libraries}/*"]
    done = subprocess.run(
        [*command, *map(str, sorted(sources.glob("*.java")))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
