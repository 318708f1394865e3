"""Messages and signals between instances: with the commit that threw them, to each once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from engine.jobs import queue
from engine.jobs.model import Job
from engine.runtime import routing
from engine.runtime.model import BufferedMessage
from engine.runtime.routing import Router
from engine.store import Store
from tests.bpmn_xml import await_signal, catch, end, flows, on_signal, script, start, throws, user, xor
from tests.command_parts import Site


class Exchange:
    """A site whose process either waits or, with `throw`, does its task and throws; and the router."""

    def __init__(self, store: Store, thrown: str, *waiting: str) -> None:
        body = (
            start(),
            xor("g", "g_u"),
            thrown,
            user("u"),
            end(),
            flows("s g", "g u t e", "g w if wait", "w e"),
        )
        self.site = Site(store, *body, *waiting)
        self.router = Router(store, self.site.clock, self.site.kernel)

    def waiter(self, key: str) -> int:
        return self.site.start({"wait": True, "k": "K", "n": 0}, key=key)

    def throw(self) -> None:
        self.site.start({"wait": False, "k": "K"}, key="T")
        self.site.complete("u")

    def work(self) -> list[str]:
        """Does all jobs of the router; their kinds."""
        handlers: dict[str, Callable[[Any], None]] = {
            "message": self.router.message,
            "signal": self.router.signal,
        }
        done = []
        while (claim := self.site.claim()) is not None:
            handlers[claim.kind](claim)
            done.append(claim.kind)
        self.site.check()
        return done

    def state(self, instance: int) -> str:
        self.site.instance_id = instance
        return self.site.instance().state


SIGNAL = throws("t", "signal", "alarm")
MESSAGE = throws("t", "message", "go", "input answer = 42", _key="k")


@pytest.mark.parametrize("at_once", [500, 2])
def test_a_signal_reaches_every_instance_that_waits(
    store: Store, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "AT_ONCE", at_once)
    x = Exchange(store, SIGNAL, await_signal("w", "alarm"))
    waiters = [x.waiter(f"W{n}") for n in range(5)]
    x.throw()
    assert {x.state(w) for w in waiters} == {"active"}
    x.work()
    assert {x.state(w) for w in waiters} == {"completed"}
    assert x.work() == []


def test_each_instance_hears_a_signal_once_also_when_its_job_comes_twice(store: Store) -> None:
    watch = user("w"), on_signal("b", "w", "alarm", False), script("c", "n = n + 1"), end("z"), flows("b c z")
    x = Exchange(store, SIGNAL, *watch)
    waiter = x.waiter("W")
    x.throw()
    spread = x.site.claim()
    assert spread is not None
    x.router.signal(spread)
    told = x.site.claim()
    assert told is not None
    x.router.signal(told)
    x.router.signal(told)  # as after a worker that died behind its commit
    x.router.signal(spread)
    assert x.work() == []
    x.site.instance_id = waiter
    assert x.site.variables()["n"] == 1


def test_nothing_is_sent_when_the_step_is_rolled_back(store: Store) -> None:
    x = Exchange(store, SIGNAL, await_signal("w", "alarm"))
    x.site.start({"wait": False}, key="T")
    token = x.site.open_task("u").token_id

    def lose(session: Any) -> None:
        x.site.kernel.complete_task(session, x.site.instance_id, token, {}, at=x.site.now, actor="wang")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.run(lose)
    assert x.site.rows(Job) == []


def test_a_message_reaches_who_waits_for_its_key_with_its_values(store: Store) -> None:
    x = Exchange(store, MESSAGE, catch("w", "go", _key="k"))
    waiter = x.waiter("W")
    x.throw()
    assert x.work() == ["message"]
    assert x.state(waiter) == "completed"
    assert x.site.variables()["answer"] == 42


def test_a_message_that_is_early_is_kept_until_somebody_waits(store: Store) -> None:
    x = Exchange(store, MESSAGE, catch("w", "go", _key="k"))
    x.throw()
    x.work()
    assert len(x.site.rows(BufferedMessage)) == 1
    waiter = x.waiter("W")
    assert (x.state(waiter), x.site.rows(BufferedMessage)) == ("completed", [])


def test_a_message_that_nobody_comes_for_is_not_kept_for_ever(store: Store) -> None:
    x = Exchange(store, MESSAGE, catch("w", "go", _key="k"))
    x.throw()
    x.work()
    x.site.clock.advance(routing.KEPT_FOR + timedelta(seconds=1))
    assert x.state(x.waiter("W")) == "active"


def test_a_message_is_no_signal_and_a_signal_no_message(store: Store) -> None:
    x = Exchange(store, throws("t", "signal", "alarm"), catch("w", "go", _key="''"))
    waiter = x.waiter("W")
    with store.write() as session:
        job = {"name": "go", "key": "", "values": {}, "source": 0}
        queue.add(session, kind="signal", key="signal:by:hand", payload=job, at=x.site.now)
    assert x.work() == ["signal"]
    assert x.state(waiter) == "active"
