"""The kernel's commands on a real database: after each, every row is what the live tokens call for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from engine.errors import NotFound
from engine.events import Event
from engine.jobs.model import Job
from engine.runtime.codec import unpack
from engine.runtime.kernel import InstanceEnded, NotWaiting, due_instances
from engine.runtime.model import InstanceHistory, ProcessInstance
from engine.store import Store
from tasks.model import Task
from tests.bpmn_xml import (
    catch,
    end,
    end_error,
    flows,
    on_error,
    on_message,
    on_timer,
    par,
    script,
    service,
    start,
    sub,
    timer,
    user,
    xor,
)
from tests.command_parts import Site

HOUR = timedelta(hours=1)


def test_an_instance_starts_runs_and_ends(store: Store) -> None:
    site = Site(store, start(), script("c", "y = x + 1"), user("u"), end(), flows("s c u e"))
    site.start({"x": 1})
    assert (site.open_tasks(), site.variables()) == (["u"], {"x": 1, "y": 2})
    site.complete("u", answer="yes")
    row = site.instance()
    assert (row.state, row.end_element, row.ended_at) == ("completed", "e", site.now)
    assert site.variables() == {"x": 1, "y": 2, "answer": "yes"}
    kinds = [e.kind for e in site.rows(Event) if e.instance_id == site.instance_id]
    assert kinds == ["InstanceStarted", "TaskOpened", "InstanceEnded"]


def test_an_instance_that_is_started_without_moving_is_moved_by_a_job(store: Store) -> None:
    site = Site(store, start(), user("u"), end(), flows("s u e"))
    site.start(advance=False)
    assert site.open_tasks() == []
    (job,) = site.rows(Job)
    assert (job.kind, job.state, job.instance_id) == ("advance", "ready", site.instance_id)
    site.advance()
    assert site.open_tasks() == ["u"]


def test_a_long_automatic_run_is_cut_into_transactions(store: Store) -> None:
    body = start(), xor("m"), script("c", "n = n + 1"), xor("g", "g_e"), end()
    site = Site(store, *body, flows("s m c g", "g m if n < 1000", "g e"))
    site.start({"n": 0})
    parts = 1
    while site.instance().state == "active":
        waiting = [j for j in site.rows(Job) if j.kind == "advance"]
        assert len(waiting) == parts
        site.advance()
        parts += 1
    assert site.variables() == {"n": 1000}
    assert parts == 4


def test_a_command_may_come_before_the_next_part_of_a_long_run(store: Store) -> None:
    loop = xor("m"), script("c", "n = n + 1"), xor("g", "g_e")
    site = Site(
        store, start(), par("f"), user("u"), *loop, end(), flows("s f", "f u e", "f m c g", "g m if n < 500", "g e")
    )  # fmt: skip
    site.start({"n": 0})
    site.complete("u")
    site.advance()
    assert (site.instance().state, site.variables()) == ("completed", {"n": 500})


def test_a_second_completion_finds_that_the_step_is_no_longer_waiting(store: Store) -> None:
    site = Site(store, start(), user("u", "v"), end(), flows("s u v e"))
    site.start()
    token = site.open_task("u").token_id
    site.complete("u")
    with pytest.raises(NotWaiting), store.write() as session:
        site.kernel.complete_task(session, site.instance_id, token, {"x": 1}, at=site.now, actor="li")
    site.check()
    assert (site.open_tasks(), site.variables()) == (["v"], {})


def test_a_service_task_is_not_completed_as_a_user_task_nor_the_other_way(store: Store) -> None:
    site = Site(store, start(), par("f"), user("u"), service("v"), end(), flows("s f", "f u e", "f v e"))
    site.start()
    with store.read() as session:
        top = site.kernel.inspect(session, site.instance_id, site.now)
    tokens = {t.task_spec.name: t.id for t in top.by_id.values()}
    with pytest.raises(NotWaiting), store.write() as session:
        site.kernel.complete_task(session, site.instance_id, tokens["v"], {}, at=site.now, actor="li")
    with pytest.raises(NotWaiting), store.write() as session:
        site.kernel.complete_service(session, site.instance_id, tokens["u"], {}, at=site.now)


def test_an_ended_instance_takes_no_more_completions_but_forgives_late_signals(store: Store) -> None:
    site = Site(store, start(), user("u"), end(), flows("s u e"))
    site.start()
    token = site.open_task("u").token_id
    site.complete("u")
    with pytest.raises(InstanceEnded), store.write() as session:
        site.kernel.complete_task(session, site.instance_id, token, {}, at=site.now, actor="li")
    version = site.instance().version
    site.advance()
    site.pass_time(HOUR)
    assert site.instance().version == version


def test_an_instance_that_does_not_exist_is_not_found(store: Store) -> None:
    site = Site(store, start(), end(), flows("s e"))
    with store.write() as session:
        with pytest.raises(NotFound):
            site.kernel.advance(session, 999, at=site.now)
        with pytest.raises(NotFound):
            site.kernel.inspect(session, 999, site.now)
        with pytest.raises(NotFound):
            site.kernel.start(session, 999, "K", {}, at=site.now, actor="crm")


def test_a_closed_sub_process_leaves_nothing_behind_that_breaks_the_next_loading(store: Store) -> None:
    inside = start("is"), user("u"), end("ie"), flows("is u ie")
    site = Site(store, start(), sub("S", *inside), user("v"), end(), flows("s S v e"))
    site.start()
    site.complete("u")
    site.complete("v")
    assert site.instance().state == "completed"


# ---- timers and messages


def test_a_due_timer_fires_once_and_its_row_is_gone(store: Store) -> None:
    site = Site(
        store,
        start(),
        user("u"),
        on_timer("b", "u", "PT1H"),
        timer("t", "PT2H"),
        end(),
        flows("s u e", "b t e"),
    )
    site.start()
    with store.read() as session:
        assert due_instances(session, site.now + HOUR, 10) == [site.instance_id]
        assert due_instances(session, site.now, 10) == []
    site.pass_time(HOUR)
    assert site.open_tasks() == []
    site.pass_time(2 * HOUR)
    assert site.instance().state == "completed"


def test_a_timer_that_is_due_counts_before_the_completion_that_comes_later(store: Store) -> None:
    site = Site(
        store, start(), user("u"), on_timer("b", "u", "PT1H"), user("late"), end(), flows("s u e", "b late e")
    )
    site.start()
    token = site.open_task("u").token_id
    site.clock.advance(2 * HOUR)
    with pytest.raises(NotWaiting), store.write() as session:
        site.kernel.complete_task(session, site.instance_id, token, {}, at=site.now, actor="li")
    site.pass_time(HOUR)
    assert site.open_tasks() == ["late"]


@pytest.mark.parametrize("outcome", ["result", "refuse", "give_up"])
def test_a_result_that_a_due_timer_has_outrun_is_dropped_with_its_job(store: Store, outcome: str) -> None:
    body = start(), service("v", "output y = result.a"), on_timer("b", "v", "PT1H"), user("late"), end()
    site = Site(store, *body, flows("s v e", "b late e"))
    site.start()
    assert site.claim() is not None
    site.clock.advance(2 * HOUR)
    getattr(site, outcome)(
        "v", **({"a": 1} if outcome == "result" else {"code": "E1"} if outcome == "refuse" else {})
    )
    assert (site.open_tasks(), site.variables(), site.incidents()) == (["late"], {}, [])
    (job,) = site.rows(Job)
    assert (job.state, job.lease_until) == ("done" if outcome == "result" else "cancelled", None)


def test_a_message_reaches_every_instance_that_waits_for_its_name_and_key(store: Store) -> None:
    site = Site(store, start(), catch("m", "go", _key="about"), user("u"), end(), flows("s m u e"))
    ids = [site.start({"about": about}, key=f"BB-{n}") for n, about in enumerate(("K-1", "K-1", "K-2"))]
    assert site.message("go", "K-3") == site.message("note", "K-1") == 0
    assert site.message("go", "K-1", answer=1) == 2
    assert site.message("go", "K-1") == 0
    assert sorted(t.instance_id for t in site.rows(Task)) == ids[:2]


def test_a_message_event_that_does_not_interrupt_stays_subscribed(store: Store) -> None:
    body = start(), user("u"), on_message("b", "u", "note", interrupts=False), script("c", "n = n + 1")
    site = Site(store, *body, end("e", "x"), flows("s u e", "b c x"))
    site.start({"n": 0})
    assert [site.message("note") for _ in range(3)] == [1, 1, 1]
    assert site.variables() == {"n": 3}
    site.complete("u")
    assert site.message("note") == 0


# ---- jobs and business errors


def test_a_service_task_has_one_job_whose_key_stays_the_same(store: Store) -> None:
    site = Site(store, start(), service("v", "output y = result.missing"), end(), flows("s v e"))
    site.start()
    (first,) = site.rows(Job)
    site.result("v", a=1)
    (incident,) = site.incidents()
    assert (incident.element, incident.job_id, incident.attempts) == ("v", None, 1)
    site.retry(incident)
    (again,) = site.rows(Job)
    assert (again.id, again.key, again.state) == (first.id, first.key, "ready")
    site.result("v", missing=5)
    assert site.variables() == {"y": 5}


def test_a_business_error_goes_to_its_boundary_event(store: Store) -> None:
    site = Site(
        store, start(), service("v"), on_error("b", "v", "E1"), user("u"), end(), flows("s v e", "b u e")
    )
    site.start()
    site.refuse("v", "E1")
    assert site.open_tasks() == ["u"]
    assert site.variables()["error"]["code"] == "E1"
    (job,) = site.rows(Job)
    assert job.state == "done"


def test_a_business_error_that_nothing_catches_is_an_incident_while_the_step_waits(store: Store) -> None:
    site = Site(store, start(), service("v"), on_error("b", "v", "E1"), end("e", "x"), flows("s v e", "b x"))
    site.start()
    site.refuse("v", "E2")
    (incident,) = site.incidents()
    assert (incident.code, incident.message, incident.job_id is not None) == ("E2", "no", True)
    assert site.steps.seen[-1].incidents == ["v"]
    assert site.steps.seen[-1].open_incidents
    site.retry(incident)
    assert not site.steps.seen[-1].open_incidents
    site.result("v")
    assert site.instance().state == "completed"


def test_an_error_end_event_that_nothing_catches_fails_the_instance(store: Store) -> None:
    site = Site(
        store,
        start(),
        par("f"),
        service("v"),
        user("u"),
        end_error("bad", "E1"),
        end(),
        flows("s f", "f v e", "f u bad"),
    )
    site.start()
    site.complete("u")
    row = site.instance()
    assert (row.state, row.end_element, row.end_code) == ("failed", "bad", "E1")
    (job,) = site.rows(Job)
    assert job.state == "cancelled"


def test_a_job_that_has_failed_for_good_is_retried_with_its_key(store: Store) -> None:
    site = Site(store, start(), service("v"), end(), flows("s v e"))
    site.start()
    site.give_up("v")
    (incident,) = site.incidents()
    (job,) = site.rows(Job)
    assert (job.state, job.error_code, incident.job_id) == ("incident", "target.away", job.id)
    site.retry(incident)
    (again,) = site.rows(Job)
    assert (again.state, again.attempts, again.key) == ("ready", 0, job.key)
    with pytest.raises(NotWaiting):
        site.retry(incident)
    (resolved,) = site.incidents("resolved")
    assert resolved.resolved_by == "op"


def test_what_is_cancelled_takes_its_jobs_and_incidents_with_it(store: Store) -> None:
    inside = start("is"), par("f"), service("v"), service("w"), script("c", "y = 1 // 0"), end("ie")
    chains = "is f", "f v ie", "f w ie", "f c ie"
    site = Site(
        store, start(), sub("S", *inside, flows(*chains)), on_message("stop", "S", "go"), user("u"), end(),
        flows("s S e", "stop u e"),
    )  # fmt: skip
    site.start()
    site.give_up("v")
    assert [i.element for i in site.incidents()] == ["c", "v"]
    assert site.message("go") == 1
    assert sorted(i.element for i in site.incidents("cancelled")) == ["c", "v"]
    assert {j.state for j in site.rows(Job)} == {"cancelled"}
    assert not site.steps.seen[-1].open_incidents


# ---- incidents


def test_a_retry_that_fails_again_opens_a_new_incident(store: Store) -> None:
    site = Site(store, start(), script("c", "y = 1 // x"), end(), flows("s c e"))
    site.start({"x": 0})
    for attempt in (1, 2, 3):
        (incident,) = site.incidents()
        assert incident.attempts == attempt
        assert site.steps.seen[-1].open_incidents
        site.retry(incident)
    assert len(site.incidents("resolved")) == 3
    assert len({i.fingerprint for i in site.rows(type(incident))}) == 1


def test_the_second_of_two_operators_is_told_that_it_is_already_retried(store: Store) -> None:
    site = Site(store, start(), service("v"), end(), flows("s v e"))
    site.start()
    site.give_up("v")
    (incident,) = site.incidents()
    with store.write() as session:
        seen = session.merge(incident)  # looked at before the first operator pressed the button
        seen.state = "open"
        site.kernel.retry(session, seen, at=site.now, actor="op")
        session.flush()
        with pytest.raises(NotWaiting):
            site.kernel.retry(session, seen, at=site.now, actor="op2")


def test_a_join_that_cannot_complete_is_an_incident_at_once(store: Store) -> None:
    site = Site(
        store, start(), par("f", "j"), user("u"), xor("g", "g_x"), end("e", "x"),
        flows("s f", "f j", "f u g", "g j if go", "g x", "j e"),
    )  # fmt: skip
    site.start()
    site.complete("u", go=False)
    (incident,) = site.incidents()
    assert (incident.code, incident.element) == ("instance.stuck", "j")
    assert site.steps.seen[-1].open_incidents
    assert site.steps.seen[-1].incidents == ["j"]
    site.retry(incident)
    assert [i.code for i in site.incidents()] == ["instance.stuck"]


def test_the_incident_of_a_stuck_join_ends_with_the_sub_process_around_it(store: Store) -> None:
    inside = start("is"), par("f", "j"), xor("g", "g_x"), end("ie", "x")
    chains = "is f", "f j", "f g", "g j if False", "g x", "j ie"
    site = Site(
        store, start(), sub("S", *inside, flows(*chains)), on_message("stop", "S", "go"), user("u"), end(),
        flows("s S e", "stop u e"),
    )  # fmt: skip
    site.start()
    assert [i.code for i in site.incidents()] == ["instance.stuck"]
    site.message("go")
    assert site.incidents() == []
    assert not site.steps.seen[-1].open_incidents


# ---- history


def test_each_step_leaves_what_it_passed_and_what_it_changed(store: Store) -> None:
    site = Site(store, start(), script("c", "x = x + 1"), user("u"), end(), flows("s c u e"))
    site.start({"x": 1})
    site.complete("u", answer="yes")
    first, second = (unpack(h.body) for h in sorted(site.rows(InstanceHistory), key=lambda h: h.seq))
    assert [n[:2] for n in first["notes"] if n[0] == "completed"] == [["completed", "s"], ["completed", "c"]]
    assert first["variables"][-1] == ["x", 1, 2, "c"]
    assert second["variables"] == [["answer", None, "yes", "u"]]
    assert [h.actor for h in site.rows(InstanceHistory)] == ["crm", "wang"]


def test_milestones_are_told_when_their_element_is_done(store: Store) -> None:
    site = Site(store, start(), user("u", _milestone="onSite"), end(_milestone="closed"), flows("s u e"))
    site.start()
    assert site.steps.seen[-1].milestones == []
    site.complete("u")
    assert site.steps.seen[-1].milestones == ["onSite", "closed"]


def test_a_failing_listener_takes_the_whole_step_back(store: Store) -> None:
    site = Site(store, start(), user("u"), end(), flows("s u e"))
    site.start()

    class Broken:
        def on_step(self, session: object, step: object) -> None:
            raise ValueError("no")

    site.kernel.listeners = (*site.kernel.listeners, Broken())
    with pytest.raises(ValueError, match="no"):
        site.complete("u")
    site.check()
    assert site.open_tasks() == ["u"]
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(InstanceHistory)) == 1
        assert session.scalars(select(ProcessInstance.version)).all() == [1]
