"""Commands on one instance at the same moment: one waits for the other, nothing is lost, nobody waits in a ring."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine.errors import Conflict
from engine.identity.model import Person
from engine.jobs import queue
from engine.runtime import rows
from engine.runtime.kernel import NotWaiting
from engine.runtime.lock import lock_instance
from engine.store import Store
from tasks.model import Task
from tasks.worklist import CompleteTask, TaskClosed, complete
from tests.actors import an_actor
from tests.bpmn_xml import end, flows, on_message, on_timer, par, service, start, user
from tests.command_parts import Site
from tests.parallel_parts import at_once

ROUNDS = 5


def completing(site: Site, token_id: int, **values: Any) -> Callable[[], str]:
    def call() -> str:
        with site.store.write() as session:
            site.kernel.complete_task(session, site.instance_id, token_id, values, at=site.now, actor="li")
        return "done"

    return call


def test_branches_that_are_completed_at_once_lose_nothing(store: Store) -> None:
    names = ["a", "b", "c"]
    chains = [f"f {n} j" for n in names]
    site = Site(store, start(), par("f", "j"), user(*names), end(), flows("s f", *chains, "j e"))
    for n in range(ROUNDS):
        site.start(key=f"BB-{n}")
        tokens = {t.element: t.token_id for t in site.rows(Task, Task.closed_at.is_(None))}
        assert at_once(*(completing(site, tokens[name], **{name: n}) for name in names)) == ["done"] * 3
        site.check()
        assert site.instance().state == "completed"
        assert site.variables() == dict.fromkeys(names, n)


def test_one_task_completed_twice_at_once_counts_once(store: Store) -> None:
    site = Site(store, start(), user("u", "v"), end(), flows("s u v e"))
    for n in range(ROUNDS):
        site.start(key=f"BB-{n}")
        token = site.open_task("u").token_id
        results = at_once(completing(site, token, who=1), completing(site, token, who=2))
        assert sorted(map(str, results), key=len)[0] == "done"
        assert sum(isinstance(r, NotWaiting) for r in results) == 1
        site.check()
        site.complete("v")


def test_a_worker_a_timer_and_a_message_do_not_wait_for_each_other_in_a_ring(store: Store) -> None:
    body = start(), service("v"), on_timer("b", "v", "PT1H"), on_message("m", "v", "go"), end("e", "x", "y")
    site = Site(store, *body, flows("s v e", "b x", "m y"))
    for n in range(ROUNDS):
        site.start(key=f"BB-{n}")
        claim = site.claim()
        assert claim is not None
        late = site.now + timedelta(hours=2)

        def worker(claim: queue.Claim = claim) -> str:
            with store.write() as session:
                job = queue.held(session, claim)
                if job is not None:
                    queue.finish(job, site.now)
                    site.kernel.complete_service(session, *queue.place_of(job), {}, at=site.now)
            return "done"

        def timers(late: Any = late) -> str:
            with store.write() as session:
                site.kernel.fire_timers(session, site.instance_id, at=late)
            return "done"

        def message(key: str = f"BB-{n}") -> str:
            with store.write() as session:
                site.kernel.correlate(session, "go", key, {}, at=site.now, actor="crm")
            return "done"

        assert at_once(worker, timers, message) == ["done"] * 3
        site.check()
        assert site.instance().state == "completed"


def test_a_step_that_was_worked_out_on_an_old_state_is_refused(store: Store) -> None:
    site = Site(store, start(), user("u"), end(), flows("s u e"))
    site.start()

    def stale(session: Session) -> None:
        row = lock_instance(session, site.instance_id)
        assert row is not None
        top = site.kernel.inspect(session, row.id, site.now)
        row.version -= 1
        rows.save(session, row, top, "li", [], [])

    with pytest.raises(Conflict), store.write() as session:
        stale(session)
    site.check()


def test_a_person_and_a_timer_at_the_same_task_do_not_wait_for_each_other_in_a_ring(store: Store) -> None:
    body = start(), user("u"), on_timer("b", "u", "PT1H"), end("e", "late")
    site = Site(store, *body, flows("s u e", "b late"))
    with store.write() as session:
        session.add(Person(id=1, login="op", name="Op", roles=["AD"], areas=[], created_at=site.now))
    admin = an_actor("AD", person_id=1, login="op")
    for n in range(ROUNDS):
        site.start(key=f"BB-{n}")
        task_id, late = site.open_task("u").id, site.now + timedelta(hours=2)

        def person(task_id: str = task_id) -> str:
            with store.write() as session:
                complete(session, site.kernel, admin, CompleteTask(task_id, {}), at=site.now)
            return "done"

        def timers(late: datetime = late) -> str:
            with store.write() as session:
                site.kernel.fire_timers(session, site.instance_id, at=late)
            return "done"

        by_person, by_timer = at_once(person, timers)
        assert by_timer == "done"
        assert by_person == "done" or isinstance(by_person, TaskClosed)
        site.check()
        assert site.instance().end_element == ("e" if by_person == "done" else "late")
