"""Two processes with two threads each, all at the same tasks at the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.events import Event
from engine.runtime.model import InstanceHistory, ProcessInstance
from tests.bench.diagrams import loop
from tests.bench.installation import InProcess
from tests.faults import racer
from tests.product import environment

PROCESSES, INSTANCES, ROUNDS = 2, 8, 10


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Any:
    made = InProcess(tmp_path, loop("gateway", 1000), database_url)
    yield made
    made.close()


def test_each_task_is_completed_once_and_refused_to_everybody_else(
    site: InProcess, database_url: str
) -> None:
    keys = [site.start({"n": 0}).rpartition("-W")[0] for _ in range(INSTANCES)]
    before = _versions(site)
    tasks = [f"{key}-W{number:02d}" for number in range(1, ROUNDS + 1) for key in keys]
    tries = _race(site, database_url, tasks)
    assert Counter(task for one in tries for task in one["done"]) == dict.fromkeys(tasks, 1)
    others = PROCESSES * racer.THREADS - 1
    assert Counter(task for one in tries for task in one["refused"]) == dict.fromkeys(tasks, others)
    assert _versions(site) == {key: version + ROUNDS for key, version in before.items()}
    assert _completions(site) == dict.fromkeys(tasks, 1)
    assert _steps(site) == {key: list(range(1, version + ROUNDS + 1)) for key, version in before.items()}


def _race(site: InProcess, url: str, tasks: list[str]) -> list[dict[str, list[str]]]:
    folder = str(site.settings.data_dir)
    named = {"KAITONG_DATA_DIR": folder, "KAITONG_DATABASE_URL": url}
    wish = json.dumps({"environment": named, "person": site.person, "tasks": tasks})
    command = [sys.executable, "-m", "tests.faults.racer"]
    pipe = subprocess.PIPE
    racers = [
        subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, text=True)
        for _ in range(PROCESSES)
    ]
    try:
        for one in racers:
            _tell(one, wish)
        assert [_hear(one) for one in racers] == ["ready"] * PROCESSES
        for one in racers:
            _tell(one, "go")
        return [tries for one in racers for tries in json.loads(_hear(one))]
    finally:
        for one in racers:
            one.kill()
            one.communicate()


def _tell(one: subprocess.Popen[str], line: str) -> None:
    assert one.stdin is not None
    one.stdin.write(line + "\n")
    one.stdin.flush()


def _hear(one: subprocess.Popen[str]) -> str:
    assert one.stdout is not None
    return one.stdout.readline().strip()


def _versions(site: InProcess) -> dict[str, int]:
    with site.me.store.read() as session:
        found = session.execute(select(ProcessInstance.business_key, ProcessInstance.version))
        return {row.business_key: row.version for row in found}


def _completions(site: InProcess) -> Counter[str]:
    """How often each task is said to be completed."""
    with site.me.store.read() as session:
        events = session.scalars(select(Event).where(Event.kind == "TaskCompleted"))
        return Counter(str(event.data["task"]) for event in events)


def _steps(site: InProcess) -> dict[str, list[int]]:
    """The numbers of the saved steps of each instance."""
    found: dict[str, list[int]] = {}
    query = select(ProcessInstance.business_key, InstanceHistory.seq).join(
        InstanceHistory, InstanceHistory.instance_id == ProcessInstance.id
    )
    with site.me.store.read() as session:
        for key, seq in session.execute(query.order_by(InstanceHistory.seq)):
            found.setdefault(key, []).append(seq)
    return found
