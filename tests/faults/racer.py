"""A process that tries to complete tasks which others try at the same time; what became of each try goes to stdout."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from engine.config import Settings
from engine.identity.actor import Actor
from tasks import worklist
from tasks.worklist import CompleteTask, TaskClosed
from tests.actors import an_actor
from web.bootstrap import assemble
from web.services import Services

THREADS = 2


def race(services: Services, actor: Actor, tasks: list[str]) -> dict[str, list[str]]:
    """Tries every task in order; when it is this thread's turn at a task, the one before it is done, by whomever."""
    found: dict[str, list[str]] = {"done": [], "refused": []}
    for task in tasks:

        def work(session: Any, task: str = task) -> None:
            at = services.clock.now()
            worklist.complete(session, services.kernel, actor, CompleteTask(task, {}), at=at)

        try:
            services.store.run(work)
            found["done"].append(task)
        except TaskClosed:
            found["refused"].append(task)
    return found


def main() -> None:
    """Reads who, where and which tasks from stdin; begins at the second line."""
    wish = json.loads(sys.stdin.readline())
    services = assemble(Settings.load(wish["environment"]))
    actor = an_actor("AD", person_id=wish["person"], login="bench")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as threads:
        tries = [threads.submit(race, services, actor, wish["tasks"]) for _ in range(THREADS)]
        sys.stdout.write(json.dumps([one.result() for one in tries]) + "\n")
    services.store.close()


if __name__ == "__main__":
    main()
