"""Starting and stopping the system as its administrator does, and what it says when it cannot start."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.product import Product, environment

pytestmark = pytest.mark.xdist_group("serve")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("serve") / "data").start()
    yield product
    assert product.stop() == 0


def _refusal(*arguments: str, **settings: str) -> str:
    """What a start that fails prints; it must be one sentence, not a traceback."""
    command = [sys.executable, "-m", "web.cli", "serve", *arguments]
    done = subprocess.run(command, env=environment(**settings), capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def _children(pid: int) -> dict[str, int]:
    """Our processes below a supervisor by kind, from /proc."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                command = (entry / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if int(fields[1]) == pid and "web.cli" in command:
                found[command[command.index("web.cli") + 1]] = int(entry.name)
    return found


def test_it_is_ready_to_work_soon_after_it_answers(running: Product) -> None:
    assert requests.get(f"{running.url}/healthz", timeout=10).status_code == 200
    for _ in range(300):
        answer = requests.get(f"{running.url}/readyz", timeout=10)
        if answer.status_code == 200:
            return
        threading.Event().wait(0.1)
    raise AssertionError(answer.text)


def test_the_demo_logins_are_printed_and_kept_for_the_owner_alone(running: Product) -> None:
    file = running.data_dir / "demo-logins.json"
    assert file.stat().st_mode & 0o077 == 0
    assert any(running.password("crew-e1") in line for line in running.output)


def test_a_dead_worker_is_started_again(running: Product) -> None:
    assert running.process is not None
    before = _children(running.process.pid)["worker"]
    os.kill(before, signal.SIGKILL)
    for _ in range(600):
        now = _children(running.process.pid).get("worker")
        if now not in (None, before):
            return
        threading.Event().wait(0.1)
    raise AssertionError(running.output)


def test_a_second_start_on_the_same_folder_is_refused(running: Product, tmp_path: Path) -> None:
    said = _refusal("--port", "0", "--data", str(running.data_dir))
    assert "in use by another Kaitong" in said


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port} on 127.0.0.1 is in use" in _refusal(
            "--port", str(port), "--data", str(tmp_path / "d")
        )


def test_an_unknown_setting_stops_the_start_by_name(tmp_path: Path) -> None:
    said = _refusal("--data", str(tmp_path / "d"), prot="9")
    assert "KAITONG_PROT" in said
    assert "KAITONG_PORT" in said
    assert not (tmp_path / "d").exists()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    product = Product(folder)
    product.run("migrate")
    database = sqlite3.connect(folder / "kaitong.db")
    database.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")
    database.commit()
    database.close()
    assert re.search("newer Kaitong", _refusal("--data", str(folder), "--port", str(product.port)))
