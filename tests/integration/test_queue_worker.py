"""The worker: what becomes of a job that works, fails, fails for good, or kills its worker; and due timers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.config import Settings
from engine.errors import Retryable
from engine.jobs import heartbeat, queue
from engine.jobs.model import Job
from engine.jobs.queue import Claim
from engine.jobs.worker import Worker
from engine.runtime.model import ProcessInstance
from engine.store import Store
from tasks.model import Task
from tests.bpmn_xml import end, flows, on_timer, service, start, user
from tests.command_parts import Site

SETTINGS = replace(Settings(), worker_threads=2, max_attempts=3, retry_seconds=10)


@pytest.fixture
def site(store: Store) -> Site:
    """One service task, then a person."""
    return Site(store, start(), service("v"), user("u"), end(), flows("s v u e"))


def worker(site: Site, service: Callable[[Claim], None]) -> Worker:
    def advance(claim: Claim) -> None:
        with site.store.write() as session:
            job = queue.held(session, claim)
            assert job is not None
            assert claim.instance_id is not None
            queue.finish(job, site.now)
            site.kernel.advance(session, claim.instance_id, at=site.now)

    return Worker(site.store, site.clock, site.kernel, {"advance": advance, "service": service}, SETTINGS)


def doing(site: Site) -> Callable[[Claim], None]:
    def handle(claim: Claim) -> None:
        with site.store.write() as session:
            job = queue.held(session, claim)
            assert job is not None
            queue.finish(job, site.now)
            site.kernel.complete_service(session, *queue.place_of(job), {}, at=site.now)

    return handle


def failing(claim: Claim) -> None:
    raise Retryable(target="n", detail="down")


def test_a_worker_starts_the_instance_and_does_its_service_task(site: Site) -> None:
    site.start(advance=False)
    one = worker(site, doing(site))
    assert [one.run_once(), one.run_once(), one.run_once()] == [True, True, False]
    assert site.open_tasks() == ["u"]
    assert {j.state for j in site.rows(Job)} == {"done"}
    site.check()


def test_a_failed_job_is_tried_again_later_and_becomes_an_incident_in_the_end(site: Site) -> None:
    site.start()
    one = worker(site, failing)
    for attempts in (1, 2):
        assert one.run_once()
        (job,) = site.rows(Job)
        assert (job.state, job.attempts, job.error_code) == ("ready", attempts, "adapter.retryable")
        assert not one.run_once()
        site.clock.advance(timedelta(minutes=5))
    assert one.run_once()
    (incident,) = site.incidents()
    assert (incident.element, incident.code, incident.attempts) == ("v", "adapter.retryable", 3)
    site.check()


def test_a_job_that_raises_anything_is_a_failed_job(site: Site) -> None:
    def broken(claim: Claim) -> None:
        raise ZeroDivisionError("no")

    site.start()
    assert worker(site, broken).run_once()
    (job,) = site.rows(Job)
    assert (job.error_code, job.error) == ("internal", "ZeroDivisionError: no")


def test_a_job_that_kills_its_worker_again_and_again_is_put_aside(site: Site) -> None:
    site.start()
    for _ in range(queue.POISON_CLAIMS):
        assert site.claim() is not None  # and its worker is killed
        with site.store.write() as session:
            queue.release_all(session)
    assert worker(site, doing(site)).run_once()
    (incident,) = site.incidents()
    assert incident.code == "job.poison"
    assert site.open_tasks() == []


def test_a_failure_after_the_lease_is_lost_says_nothing(site: Site) -> None:
    site.start()

    def robbed(claim: Claim) -> None:
        with site.store.write() as session:
            queue.release_all(session)
        site.claim("w2")
        raise Retryable(target="n", detail="down")

    assert worker(site, robbed).run_once()
    (job,) = site.rows(Job)
    assert (job.state, job.attempts, job.fence) == ("running", 0, 2)


def test_a_job_of_no_step_that_fails_for_good_is_put_aside(site: Site) -> None:
    with site.store.write() as session:
        queue.enqueue(session, "callback", "k", {}, site.now)
    one = worker(site, failing)
    one.handlers = {"callback": failing}
    for _ in range(5):
        one.run_once()
        site.clock.advance(timedelta(minutes=5))
    (job,) = site.rows(Job, Job.key == "k")
    assert (job.state, job.attempts) == ("incident", 3)


def test_an_instance_that_cannot_be_moved_on_is_tried_until_the_cause_is_mended(site: Site) -> None:
    site.start(advance=False)
    one = worker(site, doing(site))
    mended, one.handlers = one.handlers, {"advance": failing}
    for _ in range(10):
        assert one.run_once()
        site.clock.advance(timedelta(minutes=10))
    one.handlers = mended
    assert one.run_once()
    (job, _) = site.rows(Job)
    assert job.state == "done"


def test_due_timers_are_fired(store: Store) -> None:
    site = Site(
        store, start(), user("u"), on_timer("b", "u", "PT1H"), user("late"), end(), flows("s u e", "b late e")
    )
    site.start()
    one = worker(site, failing)
    assert not one.run_once()
    site.clock.advance(timedelta(hours=1))
    assert one.run_once()
    assert site.open_tasks() == ["late"]
    assert not one.run_once()


def test_an_instance_that_cannot_be_read_holds_up_no_other(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(
        store, start(), user("u"), on_timer("b", "u", "PT1H"), user("late"), end(), flows("s u e", "b late e")
    )
    broken = site.start(key="K-1")
    site.start(key="K-2")
    with store.write() as session:
        row = session.get_one(ProcessInstance, broken)
        whole, row.tokens = row.tokens, b"\x09 from a later version"
    site.restart()
    site.clock.advance(timedelta(hours=1))
    one = worker(site, failing)
    with caplog.at_level(logging.ERROR):
        assert [one.run_once(), one.run_once()] == [True, False]
    assert [t.business_key for t in site.rows(Task, Task.closed_at.is_(None)) if t.element == "late"] == [
        "K-2"
    ]
    assert len([r for r in caplog.records if r.message == "timer.failed"]) == 1
    with store.write() as session:
        session.get_one(ProcessInstance, broken).tokens = whole
    site.clock.advance(timedelta(minutes=2))
    assert one.run_once()
    assert site.open_tasks() == ["late", "late"]


def test_a_worker_works_until_it_is_told_to_stop_and_gives_signs_of_life(site: Site) -> None:
    site.start(advance=False)
    stop, done = threading.Event(), threading.Event()

    def last(claim: Claim) -> None:
        doing(site)(claim)
        done.set()

    one = worker(site, last)
    thread = threading.Thread(target=one.run, args=(stop,))
    thread.start()
    assert done.wait(30)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert site.open_tasks() == ["u"]
    with site.store.read() as session:
        assert heartbeat.last_seen(session, "worker") == site.now
