"""`kaitong serve`: starts web, worker, ticker and simulators as processes, restarts what dies, stops all together."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from engine.config import Settings
from engine.errors import KaitongError

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 15.0


class PortInUse(KaitongError):
    """Port {port} on {host} is in use; choose another with --port, or stop what listens there."""

    code = "start.port_in_use"


class DataInUse(KaitongError):
    """The data folder {folder} is in use by another Kaitong; stop it first, or choose another with --data."""

    code = "start.data_in_use"


class NotReady(KaitongError):
    """The web server did not answer within {seconds} s; see {log}."""

    code = "start.not_ready"


def lock_data(folder: Path, wait_s: float = 20.0) -> IO[str]:
    """Takes the folder for this process and its children: the lock lasts as long as any of them lives.

    Waits a little for the processes of an instance that has just been killed. Raises `DataInUse`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = (folder / "kaitong.lock").open("a")
    os.set_inheritable(handle.fileno(), True)
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() > until:
                handle.close()
                raise DataInUse(folder=folder) from None
            threading.Event().wait(0.2)


def refuse_used_port(host: str, port: int) -> None:
    """Raises `PortInUse`."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as e:
            raise PortInUse(host=host, port=port) from e


@dataclass
class Child:
    """One kind of process, started again when it dies; more slowly the more often it does."""

    name: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    next_start: float = 0.0


@dataclass
class Supervisor:
    """Keeps the children of one installation alive."""

    settings: Settings
    environment: Mapping[str, str]
    lock: IO[str]
    stop: threading.Event = field(default_factory=threading.Event)
    children: list[Child] = field(default_factory=list)

    def add(self, name: str, *arguments: str) -> None:
        """A process that belongs to the installation."""
        self.children.append(Child(name, [sys.executable, "-m", "web.cli", *arguments]))

    def run(self) -> None:
        """Blocks until SIGTERM or Ctrl-C; then stops the children, the one started last first."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())
        try:
            for child in self.children:
                self._start(child)
            self._wait_until_ready()
            while not self.stop.wait(0.5):
                self._revive()
        finally:
            self._end_all()

    def _start(self, child: Child) -> None:
        folder = self.settings.data_dir / "logs"
        folder.mkdir(exist_ok=True)
        with (folder / f"{child.name}.log").open("ab") as log:
            child.process = subprocess.Popen(  # noqa: S603  (our own module)
                child.arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                pass_fds=[self.lock.fileno()],
            )

    def _revive(self) -> None:
        for child in self.children:
            if child.process is None or child.process.poll() is None:
                continue
            if child.next_start == 0.0:
                child.deaths += 1
                child.next_start = time.monotonic() + min(0.5 * 2 ** min(child.deaths, 6), 30.0)
                print(f"{child.name} ended with {child.process.returncode}; starting it again", flush=True)
            elif time.monotonic() >= child.next_start:
                child.next_start = 0.0
                self._start(child)

    def _wait_until_ready(self) -> None:
        address = f"http://{self.settings.host}:{self.settings.port}"
        until = time.monotonic() + READY_WITHIN_S
        while not self.stop.is_set():
            if _answers(f"{address}/healthz"):
                print(f"ready: {address}", flush=True)
                return
            if time.monotonic() > until:
                raise NotReady(seconds=int(READY_WITHIN_S), log=self.settings.data_dir / "logs" / "web.log")
            self._revive()
            self.stop.wait(0.1)

    def _end_all(self) -> None:
        alive = [c for c in reversed(self.children) if c.process is not None and c.process.poll() is None]
        for child in alive:
            assert child.process is not None  # noqa: S101  (chosen above)
            child.process.terminate()
        until = time.monotonic() + STOP_WITHIN_S
        for child in alive:
            assert child.process is not None  # noqa: S101
            try:
                child.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                print(f"{child.name} does not stop; killing it", flush=True)
                child.process.kill()
                child.process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  (our own address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
