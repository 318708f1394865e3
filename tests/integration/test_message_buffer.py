"""Messages that are kept until somebody waits for them: before, after, twice, too late, and at the same moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.events import Event
from engine.jobs.model import Job
from engine.runtime.model import BufferedMessage
from engine.store import Store
from tests.bpmn_xml import catch, element, end, flows, on_message, par, script, start, sub, user
from tests.command_parts import Site
from tests.parallel_parts import at_once

DAY = timedelta(days=1)


def publish(
    site: Site, name: str = "go", key: str = "BB-1", /, ident: str | None = None, **values: Any
) -> int:
    caught: int = site.command(
        lambda s: site.kernel.publish(
            s, name, key, values, at=site.now, actor="cat", until=site.now + DAY, message_id=ident
        )
    )
    return caught


def kept(site: Site) -> list[tuple[str, str]]:
    return [(m.name, m.key) for m in site.rows(BufferedMessage)]


@pytest.fixture
def site(store: Store) -> Site:
    """A person, then a catch event, then another one for the same message."""
    body = start(), user("u"), catch("m", "go"), user("v"), catch("m2", "go"), end()
    return Site(store, *body, flows("s u m v m2 e"))


def test_a_message_after_the_catch_is_caught_at_once_and_not_kept(site: Site) -> None:
    site.start()
    site.complete("u")
    assert publish(site, answer=1) == 1
    assert (site.open_tasks(), site.variables()["answer"], kept(site)) == (["v"], 1, [])


def test_a_message_before_the_catch_waits_for_it(site: Site) -> None:
    site.start()
    assert publish(site, answer=1) == 0
    assert kept(site) == [("go", "BB-1")]
    site.complete("u")
    assert (site.open_tasks(), site.variables()["answer"], kept(site)) == (["v"], 1, [])


def test_a_message_may_come_before_its_instance(site: Site) -> None:
    publish(site)
    site.start(advance=False)
    site.advance()
    site.complete("u")
    assert site.open_tasks() == ["v"]


def test_each_kept_message_is_caught_once_and_in_the_order_in_which_they_came(site: Site) -> None:
    site.start()
    publish(site, answer=1)
    publish(site, answer=2)
    site.complete("u")
    assert (site.open_tasks(), site.variables()["answer"]) == (["v"], 1)
    site.complete("v")
    assert (site.instance().state, site.variables()["answer"]) == ("completed", 2)


def test_the_same_message_twice_is_kept_once(site: Site) -> None:
    site.start()
    for _ in range(2):
        assert publish(site, ident="P-CAT/1") == 0
    site.complete("u")
    site.complete("v")
    assert site.instance().state == "active"
    assert kept(site) == []


def test_a_message_of_another_name_or_key_is_left_alone(site: Site) -> None:
    site.start()
    publish(site, "note")
    publish(site, "go", "BB-2")
    site.complete("u")
    assert site.open_tasks() == []
    assert sorted(kept(site)) == [("go", "BB-2"), ("note", "BB-1")]


def test_a_message_that_has_expired_is_not_caught_and_an_event_tells_of_it(site: Site) -> None:
    site.start()
    publish(site)
    site.clock.advance(DAY)
    site.complete("u")
    assert site.open_tasks() == []
    publish(site, "note")
    (expired,) = site.rows(Event, Event.kind == "MessageExpired")
    assert (expired.data, kept(site)) == ({"name": "go", "key": "BB-1"}, [("note", "BB-1")])


def test_kept_messages_survive_a_restart(site: Site) -> None:
    site.start()
    publish(site, answer=1)
    site.restart()
    site.complete("u")
    assert site.variables()["answer"] == 1


def test_a_boundary_that_does_not_interrupt_catches_all_that_were_kept(store: Store) -> None:
    body = (
        start(),
        user("u"),
        user("v"),
        on_message("b", "v", "note", interrupts=False),
        script("c", "n = n + 1"),
    )
    site = Site(store, *body, end("e", "x"), flows("s u v e", "b c x"))
    site.start({"n": 0})
    for _ in range(3):
        publish(site, "note")
    site.complete("u")
    assert (site.variables()["n"], site.open_tasks(), kept(site)) == (3, ["v"], [])
    assert publish(site, "note") == 1
    assert site.variables()["n"] == 4


def test_a_boundary_that_interrupts_catches_one_and_ends_what_it_watches(store: Store) -> None:
    inside = sub("S", start("is"), catch("m", "note"), end("ie"), flows("is m ie"))
    body = start(), user("u"), inside, on_message("b", "S", "go"), user("v"), end("e", "x")
    site = Site(store, *body, flows("s u S e", "b v x"))
    site.start()
    publish(site, "go")
    publish(site, "note")
    site.complete("u")
    assert (site.open_tasks(), kept(site)) == (["v"], [("note", "BB-1")])


def test_behind_an_event_gateway_the_kept_message_chooses_the_way(store: Store) -> None:
    body = start(), user("u"), element("eventBasedGateway", "g"), catch("m", "go"), catch("n", "note")
    site = Site(store, *body, user("v"), user("w"), end(), flows("s u g m v e", "g n w e"))
    site.start()
    publish(site, "note")
    site.complete("u")
    assert (site.open_tasks(), kept(site)) == (["w"], [])
    assert publish(site, "go") == 0


def test_of_two_branches_that_wait_for_one_message_one_gets_it(store: Store) -> None:
    body = start(), user("u"), par("f"), catch("m", "go"), catch("n", "go"), user("v"), end()
    site = Site(store, *body, flows("s u f m v e", "f n v"))
    site.start()
    publish(site)
    site.complete("u")
    assert site.open_tasks() == ["v"]


def test_a_message_and_its_catch_at_the_same_moment_never_miss_each_other(store: Store) -> None:
    site = Site(store, start(), user("u"), catch("m", "go"), end(), flows("s u m e"))
    for n in range(8):
        key = f"BB-{n}"
        instance = site.start(key=key)
        token = site.tasks_of(instance)[0].token_id

        def person(instance: int = instance, token: int = token) -> None:
            with store.write() as session:
                site.kernel.complete_task(session, instance, token, {}, at=site.now, actor="wang")

        def partner(key: str = key) -> None:
            with store.write() as session:
                until = site.now + DAY
                site.kernel.publish(session, "go", key, {}, at=site.now, actor="cat", until=until)

        assert at_once(person, partner) == [None, None]
        for _ in site.rows(
            Job, Job.kind == "advance", Job.key.startswith("kept:"), Job.instance_id == instance
        ):
            site.advance()
        assert (site.instance().state, kept(site)) == ("completed", [])
