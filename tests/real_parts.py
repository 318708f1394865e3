"""Real parts that tests use when the machine has them: a PostgreSQL server of our own; and what to do without one."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest


def missing(part: str) -> NoReturn:
    """Skips the test, and tells so in the summary; fails it in CI, where every real part has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{part} is missing, and CI must have it (see .ci/run)", pytrace=False)
    pytest.skip(f"{part} is missing")


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class PostgresqlServer:
    """Debian's PostgreSQL in a folder of its own, without fsync; it dies with the test session."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="kaitong-postgresql-"))
        self._run_as: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._run_as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._count = 0
        self.port = 0

    @staticmethod
    def programs() -> Path | None:
        """The folder of the newest server on this machine."""
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
        found = debian[-1] if debian else shutil.which("initdb")
        return Path(found).parent if found else None

    def start(self) -> None:
        """Makes the cluster and waits until it answers; a port taken by somebody at the same moment is replaced."""
        self._call(
            "initdb", "--username=kaitong", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"
        )
        quick = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=60"
        for attempt in range(3):
            self.port = free_port()
            where = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories="
            try:
                self._call("pg_ctl", "start", "-w", "-l", str(self._folder / "log"), "-o", f"{where} {quick}")
            except RuntimeError:
                if attempt == 2:
                    raise
            else:
                return

    def url(self, database: str) -> str:
        """The address of a database, as the setting KAITONG_DATABASE_URL takes it."""
        return f"postgresql://kaitong@127.0.0.1:{self.port}/{database}"

    def create(self, name: str = "", template: str = "template1") -> str:
        """Makes a database, a copy of the template, and returns its name."""
        self._count += 1
        name = name or f"test_{self._count}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Removes a database, whoever is still connected to it."""
        self._sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        """Ends the server and removes all that it wrote."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self._call("pg_ctl", "stop", "-m", "immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _call(self, program: str, *arguments: str) -> None:
        output = self._folder / "output"
        command = [self._programs / program, "-D", self._folder / "data", *arguments]
        with output.open("wb") as file:  # no pipe: the server would hold its other end
            done = subprocess.run(
                command, stdout=file, stderr=file, check=False, timeout=60, cwd="/", **self._run_as
            )
        if done.returncode:
            log = self._folder / "log"
            raise RuntimeError(output.read_text() + (log.read_text() if log.exists() else ""))
