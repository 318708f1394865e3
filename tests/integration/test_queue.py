"""The job queue: who has a job, until when, and whose result counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.jobs import queue
from engine.jobs.lease import LeaseClock
from engine.jobs.model import Job
from engine.jobs.queue import Claim, ClaimLost
from engine.store import Store
from engine.testing import FakeClock
from tests.bpmn_xml import end, flows, on_message, service, start
from tests.command_parts import Site

LEASE_MS = 30_000


class Shop:
    """A queue with workers."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, FakeClock()
        self.lease = LeaseClock(self.clock)

    def add(self, key: str = "k", after: timedelta = timedelta(0)) -> None:
        with self.store.write() as session:
            assert queue.enqueue(session, "callback", key, {"n": 1}, self.clock.now() + after)

    def claim(self, worker: str = "w1") -> Claim | None:
        with self.store.write() as session:
            return queue.claim(session, worker, lease=self.lease, now=self.clock.now(), lease_ms=LEASE_MS)

    def must_claim(self, worker: str = "w1") -> Claim:
        found = self.claim(worker)
        assert found is not None
        return found

    def lapse(self) -> None:
        """The lease of every running job passes."""
        with self.store.write() as session:
            for job in session.scalars(select(Job).where(Job.state == "running")):
                job.lease_until = self.lease.now_ms(session) - 1

    def job(self, key: str = "k") -> Job:
        with self.store.read() as session:
            return session.scalars(select(Job).where(Job.key == key)).one()

    def finish(self, claim: Claim) -> bool:
        with self.store.write() as session:
            job = queue.held(session, claim)
            if job is not None:
                queue.finish(job, self.clock.now())
            return job is not None


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def test_a_job_is_claimed_by_one_worker_only(shop: Shop) -> None:
    shop.add()
    claim = shop.must_claim()
    assert (claim.fence, claim.claims, claim.payload) == (1, 1, {"n": 1})
    assert shop.claim("w2") is None


def test_the_same_key_is_queued_once(shop: Shop) -> None:
    shop.add()
    with shop.store.write() as session:
        assert not queue.enqueue(session, "callback", "k", {}, shop.clock.now())


def test_a_job_is_not_claimed_before_it_is_due_and_the_most_overdue_comes_first(shop: Shop) -> None:
    shop.add("late", timedelta(minutes=5))
    assert shop.claim() is None
    shop.add("early", timedelta(minutes=1))
    shop.clock.advance(timedelta(minutes=6))
    assert [shop.must_claim().key, shop.must_claim().key] == ["early", "late"]


def test_a_job_whose_lease_has_passed_is_taken_over_and_the_late_result_is_refused(shop: Shop) -> None:
    shop.add()
    first = shop.must_claim("w1")
    assert shop.claim("w2") is None
    shop.lapse()
    second = shop.must_claim("w2")
    assert second.fence == first.fence + 1
    assert not shop.finish(first)
    assert shop.job().state == "running"
    assert shop.finish(second)
    assert shop.job().state == "done"


def test_a_late_failure_does_not_reopen_a_finished_job(shop: Shop) -> None:
    shop.add()
    first = shop.must_claim("w1")
    shop.lapse()
    shop.finish(shop.must_claim("w2"))
    with shop.store.write() as session:
        assert queue.held(session, first) is None
        queue.give_back(session, first)
        queue.let_go(session, first)
    assert (shop.job().state, shop.claim()) == ("done", None)


def test_a_worker_sends_nothing_when_its_lease_does_not_outlive_the_call(shop: Shop) -> None:
    shop.add()
    claim = shop.must_claim()
    with shop.store.write() as session:
        queue.ensure_sendable(session, claim, shop.lease, LEASE_MS // 2)
        with pytest.raises(ClaimLost):
            queue.ensure_sendable(session, claim, shop.lease, LEASE_MS + 60_000)
    shop.finish(claim)
    with shop.store.write() as session, pytest.raises(ClaimLost):
        queue.ensure_sendable(session, claim, shop.lease, 1)


def test_a_worker_sends_nothing_after_another_has_taken_over(shop: Shop) -> None:
    shop.add()
    first = shop.must_claim("w1")
    shop.lapse()
    shop.must_claim("w2")
    with shop.store.write() as session, pytest.raises(ClaimLost):
        queue.ensure_sendable(session, first, shop.lease, 1)


def test_claims_without_a_result_are_counted_and_a_result_clears_them(shop: Shop) -> None:
    shop.add()
    for n in range(queue.POISON_CLAIMS + 1):
        claim = shop.must_claim()
        assert claim.claims == n + 1
        shop.lapse()
    assert claim.claims > queue.POISON_CLAIMS
    claim = shop.must_claim()
    with shop.store.write() as session:
        job = queue.held(session, claim)
        assert job is not None
        queue.postpone(job, "target.away", "x" * 5000, due_at=shop.clock.now())
    job = shop.job()
    assert (job.claims, job.attempts, job.state, len(job.error or "")) == (0, 1, "ready", 1000)


def test_a_wait_that_is_nobodys_failure_does_not_count(shop: Shop) -> None:
    shop.add()
    claim = shop.must_claim()
    with shop.store.write() as session:
        job = queue.held(session, claim)
        assert job is not None
        queue.postpone(job, "c", "m", due_at=shop.clock.now() + timedelta(minutes=1), counts=False)
    assert shop.job().attempts == 0
    assert shop.claim() is None


def test_a_job_that_is_given_back_is_free_at_once_and_the_claim_does_not_count(shop: Shop) -> None:
    shop.add()
    claim = shop.must_claim()
    with shop.store.write() as session:
        queue.give_back(session, claim)
    again = shop.must_claim("w2")
    assert (again.claims, again.fence) == (1, 2)
    with shop.store.write() as session:
        queue.give_back(session, claim)  # a second time, too late
    assert shop.job().state == "running"


def test_the_supervisor_ends_all_leases_of_workers_that_are_gone(shop: Shop) -> None:
    for key in ("a", "b"):
        shop.add(key)
    claims = [shop.must_claim(), shop.must_claim()]
    with shop.store.write() as session:
        assert queue.release_all(session) == 2
        assert queue.held(session, claims[0]) is None
    assert shop.claim() is not None


def test_a_job_given_up_is_not_claimed_until_it_is_retried(shop: Shop) -> None:
    shop.add()
    claim = shop.must_claim()
    with shop.store.write() as session:
        job = queue.held(session, claim)
        assert job is not None
        queue.give_up(job, "c", "m")
    assert shop.claim() is None
    with shop.store.write() as session:
        queue.again(session.scalars(select(Job)).one(), shop.clock.now())
    assert shop.must_claim().attempts == 0


def test_after_a_restart_of_the_machine_no_lease_of_before_holds(shop: Shop) -> None:
    shop.add()
    first = shop.must_claim()
    shop.clock.advance(timedelta(seconds=1))
    shop.clock.reboot()  # the lease clock counts from zero: compared as numbers, the old lease would hold for long
    again = shop.claim("w2")
    if shop.store.is_sqlite:
        assert again is not None
        assert not shop.finish(first)
    else:
        assert (
            again is None
        )  # leases are on the server's clock: our machine's restart says nothing about others


def test_a_wall_clock_that_jumps_does_not_end_a_lease(shop: Shop) -> None:
    shop.add()
    claim = shop.must_claim()
    shop.clock.set(shop.clock.now() + timedelta(days=1))
    assert shop.claim("w2") is None
    assert shop.finish(claim)


def test_pauses_double_up_to_five_minutes_and_are_spread() -> None:
    first = timedelta(seconds=10)
    middle = [queue.pause_before(n, first, 0.5) for n in range(8)]
    assert middle[:3] == [first, 2 * first, 4 * first]
    assert middle[-1] == queue.LONGEST_PAUSE
    assert queue.pause_before(10**9, first, 1.0) == 1.2 * queue.LONGEST_PAUSE
    assert queue.pause_before(0, first, 0.0) == 0.8 * first


def test_a_job_without_a_step_has_no_place(shop: Shop) -> None:
    shop.add()
    with pytest.raises(ValueError, match="belongs to no step"):
        queue.place_of(shop.job())


def _sees(session: Session, shop: Shop, instance_id: int) -> str | None:
    return queue.still_out(session, instance_id, "w", shop.lease)


def test_a_cancelled_job_is_out_until_its_worker_lets_go_or_its_lease_passes(shop: Shop) -> None:
    site = Site(
        shop.store,
        start(),
        service("v"),
        on_message("b", "v", "go"),
        service("w"),
        end(),
        flows("s v e", "b w e"),
    )
    site.start()
    claim = site.claim()
    assert claim is not None
    site.message("go")
    with shop.store.write() as session:
        assert _sees(session, shop, site.instance_id) == claim.key
        queue.let_go(session, claim)
        assert _sees(session, shop, site.instance_id) is None
