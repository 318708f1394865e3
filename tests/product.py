"""The product as users start it: `kaitong serve` in a process group of its own, over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

READY_WITHIN_S = 150


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without our settings, and the given ones."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("KAITONG_", "COV_"))}
    return clean | {f"KAITONG_{k.upper()}": v for k, v in settings.items()}


@dataclass
class Product:
    """One installation. `start` returns when it answers; `kill` ends the whole group at once, as a power cut would."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    python: str = sys.executable
    folder: Path | None = None
    process: subprocess.Popen[str] | None = None
    output: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *arguments: str) -> Product:
        """Starts it and waits for its line `ready:`."""
        command = [
            self.python,
            "-m",
            "web.cli",
            "serve",
            "--port",
            str(self.port),
            "--data",
            str(self.data_dir),
        ]
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=self.folder,
            env=environment(**{"demo_orders": "0", **self.settings}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        ready = threading.Event()
        threading.Thread(target=self._read, args=(self.process, ready), daemon=True).start()
        if not ready.wait(READY_WITHIN_S) or self.process.poll() is not None:
            said = "\n".join(self.output[-20:])
            self.kill()
            raise AssertionError(f"the product did not become ready:\n{said}\n{self.logs()}")
        return self

    def _read(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line.rstrip())
            if line.startswith("ready: "):
                ready.set()
        ready.set()

    def kill(self) -> None:
        """SIGKILL to every process of the group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()

    def stop(self) -> int:
        """SIGTERM, as a service manager does; its exit status."""
        assert self.process is not None
        self.process.terminate()
        status = self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def logs(self) -> str:
        """The end of every log, for a failed test."""
        files = sorted((self.data_dir / "logs").glob("*.log"))
        return "\n".join(f"--- {f.name}\n{f.read_text(errors='replace')[-1500:]}" for f in files)

    def run(self, *arguments: str) -> str:
        """A command of the installation, such as `user token crm`; its output."""
        env = environment(**self.settings, data_dir=str(self.data_dir))
        command = [self.python, "-m", "web.cli", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def password(self, login: str) -> str:
        """The password of a demo login."""
        logins = json.loads((self.data_dir / "demo-logins.json").read_text(encoding="utf-8"))["logins"]
        return str(next(entry["password"] for entry in logins if entry["login"] == login))

    def client(self, login: str) -> Client:
        """A client with a token of a login."""
        return Client(self.url, self.run("user", "token", login))


@dataclass
class Client:
    """Speaks to the product; `patient` calls are repeated until the product is back."""

    url: str
    token: str

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """One request."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, self.url + path, json=body, headers=headers, timeout=10)

    def patient(self, method: str, path: str, body: Any = None, within_s: float = 90) -> requests.Response:
        """Repeats while there is no answer, or one that says the product is not there at the moment."""
        until = time.monotonic() + within_s
        while True:
            try:
                answer = self.call(method, path, body)
                if answer.status_code < 500:
                    return answer
            except requests.RequestException:
                pass
            assert time.monotonic() < until, f"{method} {path} got no answer for {within_s} s"
            threading.Event().wait(0.1)
