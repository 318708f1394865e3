"""SIGKILL of the whole installation while many clients complete tasks and share commits on SQLite."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.events import Event
from engine.runtime.model import InstanceHistory, ProcessInstance
from engine.runtime.queries import look_inside
from tasks.model import Task
from tests.bench.diagrams import loop
from tests.bench.installation import InProcess
from tests.product import Client, Product
from web.bootstrap import assemble

CLIENTS = 10


def test_no_acknowledged_step_is_lost_when_all_is_killed(tmp_path: Path) -> None:
    _kill_and_look(tmp_path, kills=3, seed=3)


@pytest.mark.long
def test_twenty_kills_under_load(tmp_path: Path) -> None:
    _kill_and_look(tmp_path, kills=20, seed=20)


def _kill_and_look(folder: Path, kills: int, seed: int) -> None:
    chance, local = random.Random(seed), InProcess(folder, loop("gateway", 1_000_000))
    token, first = local.token(), [local.start({"n": 0}) for _ in range(CLIENTS)]
    local.close()
    product = Product(folder, {"database_url": local.settings.database, "web_threads": str(CLIENTS)})
    product.start("--no-demo")
    workers = [Worker(Client(product.url, token), task) for task in first]
    try:
        for worker in workers:
            worker.start()
        for _ in range(kills):
            threading.Event().wait(chance.uniform(0.3, 1.5))
            product.kill()
            _look(local, workers)
            product.start("--no-demo")
        for worker in workers:
            worker.finish()
    finally:
        product.kill()
    _look(local, workers)
    assert all(len(worker.acknowledged) > kills for worker in workers)


class Worker(threading.Thread):
    """Completes the tasks of one instance, one after another; a step without an answer is asked for again."""

    def __init__(self, client: Client, task: str) -> None:
        super().__init__(daemon=True)
        self.client, self.task = client, task
        self.key = task.rpartition("-W")[0]
        self.acknowledged: list[str] = []
        self.trouble: list[str] = []
        self._stop_now = threading.Event()

    def run(self) -> None:
        """Until `finish` is called, or something is refused."""
        while not self._stop_now.is_set() and not self.trouble:
            body = {"values": {}, "request_id": f"done-{self.task}"}
            answer = self.client.patient("POST", f"/api/v1/tasks/{self.task}/complete", body)
            if answer.status_code != 200:
                self.trouble.append(f"{self.task}: {answer.text}")
                return
            self.acknowledged.append(self.task)
            self.task = answer.json()["next_tasks"][0]["id"]

    def finish(self) -> None:
        """Ends after the step in hand."""
        self._stop_now.set()
        self.join(60)
        assert not self.is_alive()


def _look(local: InProcess, workers: list[Worker]) -> None:
    """What the rows say while nothing runs; a step whose answer was lost may be there, no more than one each."""
    known = {worker.key: list(worker.acknowledged) for worker in workers}
    me = assemble(local.settings)
    try:
        with me.store.read() as session:
            for worker in workers:
                assert not worker.trouble
                query = select(ProcessInstance).where(ProcessInstance.business_key == worker.key)
                row = session.scalars(query).one()
                tasks = list(
                    session.scalars(select(Task).where(Task.instance_id == row.id).order_by(Task.token_id))
                )
                done = [t.id for t in tasks if t.state == "completed"]
                assert done[: len(known[worker.key])] == known[worker.key]
                assert len(done) - len(known[worker.key]) in (0, 1)
                assert [t.state for t in tasks] == ["completed"] * len(done) + ["open"]
                events = select(Event).where(Event.instance_id == row.id, Event.kind == "TaskCompleted")
                assert [e.data["task"] for e in session.scalars(events.order_by(Event.id))] == done
                resting, variables = look_inside(session, me.kernel, row, me.clock.now())
                assert [one.element for one in resting] == ["u"]
                assert variables["n"] == len(done)
                steps = select(InstanceHistory.seq).where(InstanceHistory.instance_id == row.id)
                assert sorted(session.scalars(steps)) == list(range(1, row.version + 1))
    finally:
        me.store.close()
