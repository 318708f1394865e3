"""Loops on a real database: each round has rows of its own, and what it leaves is in the history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.jobs.model import Job
from engine.runtime.codec import unpack
from engine.runtime.model import InstanceHistory
from engine.runtime.progress import progress
from engine.store import Store
from tasks.model import Task
from tests.bpmn_xml import again, each, end, flows, on_timer, repeated, service, start, sub, user
from tests.command_parts import Site


def _one(store: Store, activity: str, *more: str) -> Site:
    return Site(store, start(), activity, end(), flows("s a e"), *more)


def _finished(site: Site) -> bool:
    return site.instance().state == "completed"


@pytest.mark.parametrize("restart", [False, True])
def test_each_item_has_a_task_of_its_own(store: Store, restart: bool) -> None:
    loop = each("rooms", elementVariable="room", outputCollection="found", outputElement="[room, ok]")
    site = _one(store, repeated(user("a"), loop))
    site.start({"rooms": ["x", "y", "z"], "ok": None})
    assert [t.id for t in site.rows(Task)] == ["BB-1-W01", "BB-1-W02", "BB-1-W03"]
    for n in range(3):
        if restart:
            site.restart()
        assert len(site.open_tasks()) == 3 - n
        site.complete("a", ok=n)
    assert _finished(site)
    assert site.variables()["found"] == [["x", 0], ["y", 1], ["z", 2]]


@pytest.mark.parametrize("restart", [False, True])
def test_a_sequence_opens_the_next_task_when_one_is_done(store: Store, restart: bool) -> None:
    loop = each(
        "rooms", elementVariable="room", outputCollection="found", outputElement="room", sequence=True
    )
    site = _one(store, repeated(user("a"), loop))
    site.start({"rooms": ["x", "y"]})
    for n in (1, 2):
        if restart:
            site.restart()
        assert (site.open_tasks(), len(site.rows(Task))) == (["a"], n)
        site.complete("a")
    assert _finished(site)
    assert site.variables() == {"rooms": ["x", "y"], "found": ["x", "y"]}


def test_each_item_has_a_job_with_a_key_of_its_own(store: Store) -> None:
    loop = each("ends", elementVariable="at", enough="numberOfCompletedInstances == 2")
    site = _one(store, repeated(service("a", "input at = at"), loop))
    site.start({"ends": ["A", "M", "Z"]})
    jobs = [j for j in site.rows(Job) if j.kind == "service"]
    assert len({j.key for j in jobs}) == len(jobs) == 3
    site.result("a")
    site.result("a")
    assert _finished(site)
    assert sorted(j.state for j in site.rows(Job) if j.kind == "service") == ["cancelled", "done", "done"]


def test_a_job_of_one_item_that_fails_is_re_run_alone(store: Store) -> None:
    site = _one(store, repeated(service("a"), each(often="2")))
    site.start()
    site.give_up("a")
    (incident,) = site.incidents()
    site.retry(incident)
    site.result("a")
    site.result("a")
    assert _finished(site)
    assert len(site.rows(Job, Job.kind == "service")) == 2


def test_a_boundary_timer_closes_the_tasks_of_all_items(store: Store) -> None:
    site = _one(
        store, repeated(user("a"), each(often="3")), on_timer("late", "a", "PT1H"), end("x"), flows("late x")
    )
    site.start()
    site.complete("a")
    site.pass_time(timedelta(hours=1))
    assert (site.instance().state, site.instance().end_element) == ("completed", "x")
    assert sorted(t.state for t in site.rows(Task)) == ["cancelled", "cancelled", "completed"]


def test_a_sub_process_for_each_item_survives_a_restart_at_every_step(store: Store) -> None:
    inside = (
        start("is"),
        user("u"),
        service("v", "output seen = seen + [room]"),
        end("ie"),
        flows("is u v ie"),
    )
    site = _one(store, repeated(sub("a", *inside), each("rooms", elementVariable="room")))
    site.start({"rooms": ["x", "y"], "seen": []})
    for _ in range(2):
        site.restart()
        site.complete("u")
        site.restart()
        site.result("v")
    assert (_finished(site), sorted(site.variables()["seen"])) == (True, ["x", "y"])


def test_a_loop_is_done_once_in_the_history_and_has_its_rounds(store: Store) -> None:
    site = _one(store, repeated(user("a", _milestone="on_site"), again("n < 2")))
    site.start({"n": 0})
    site.complete("a", n=1)
    assert site.steps.seen[-1].milestones == []
    with store.read() as session:
        seen = progress(session, site.kernel, site.instance_id, site.now)
    assert ([(s.element, s.state) for s in seen.steps], seen.reached, seen.total) == (
        [("a", "current")],
        0,
        1,
    )
    site.complete("a", n=2)
    assert site.steps.seen[-1].milestones == ["on_site"]
    notes = [n for row in site.rows(InstanceHistory) for n in unpack(row.body)["notes"]]
    assert [what for what, element, _ in notes if element == "a"] == [
        "entered",
        "round",
        "round",
        "completed",
    ]
