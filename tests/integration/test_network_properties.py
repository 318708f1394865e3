"""Any changes at OLTs and routers, whatever gets lost on the way: one effect for each key, and undo leaves nothing."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

import engine.deploy.model
import engine.runtime.model  # noqa: F401 - the ledger's rows refer to instances, and those to definitions
from adapters.network import OltAdapter, RouterAdapter
from adapters.sim.olt import OltSimulator
from adapters.sim.router import RouterSimulator
from adapters.sim.state import Simulator
from adapters.sim.wire import Request
from engine.config import Settings
from engine.errors import NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.jobs.ledger import Ledger, Place
from engine.ports import Adapter, Call, Undo
from engine.store import Store
from engine.testing import FakeClock

FAULTS = ("lost_answer", "lost_request", "unavailable", "garbage")
TRIES = 40


class Direct:
    """A transport to a simulator in this process, without any network."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def exchange(self, device: str, request: bytes, deadline: float, reads: bool) -> bytes:
        reply = self.simulator.handle(Request("POST", (device,), "", request.decode()))
        if reply.status == 503:
            raise Retryable(target=device, detail="unavailable")
        if reply.lost:
            raise (Retryable if reads else OutcomeUnknown)(target=device, detail="lost")
        return b"<html/>" if reply.garbage else (reply.text or "").encode()

    def reachable(self, deadline: float) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Step:
    """One call, and what its requests meet: a fault at a change, and one at a read."""

    operation: str
    args: Mapping[str, Any]
    change: str | None
    read: str | None


class Bench:
    """A ledger, an adapter and its simulator, for many orders one after the other."""

    def __init__(self, store: Store, adapter: Adapter, simulator: Simulator, read: str) -> None:
        self.adapter, self.simulator, self.read = adapter, simulator, read
        self.ledger = Ledger(store, FakeClock())
        self.numbers = itertools.count(1)

    def play(self, steps: list[Step], where: Callable[[str], Mapping[str, Any]], before: Step) -> None:
        """All steps as one order at a device of its own, then everything back, last first."""
        order = f"BB-20261122-{next(self.numbers):06d}"
        place = where(order)
        self._perform("EARLIER-" + order, before, place)
        start = self._state(place)
        keys = {f"{order}:step:{k}": step for k, step in enumerate(steps)}
        ended = {key: self._perform(key, step, place) for key, step in keys.items()}
        self._count(ended)
        for key in reversed(keys):
            self._undo(key, keys[key], ended[key])
        assert self._state(place) == start
        effects = Counter(e["key"] for e in self.simulator.effects() if order in e["key"])
        assert max(effects.values()) == 1

    def _perform(self, key: str, step: Step, place: Mapping[str, Any]) -> str:
        self._fail(step)
        call = Call(step.operation, key, {**step.args, **place})
        for _ in range(TRIES):
            try:
                self.ledger.perform(self.adapter, call, Place(None, None), lambda session: None)
            except (Retryable, OutcomeUnknown):
                continue
            except Permanent:
                return "refused"
            except NeedsHuman:
                return "human"
            return "done"
        raise AssertionError(f"{key} does not end")

    def _undo(self, key: str, step: Step, ended: str) -> None:
        if self.adapter.operations()[step.operation].undo is Undo.NONE:
            return
        self._fail(step)
        for _ in range(TRIES):
            try:
                self.ledger.undo(self.adapter, key)
            except (Retryable, OutcomeUnknown):
                continue
            except NeedsHuman:
                assert ended == "human", "only what nobody could decide is left to a person"
                return
            break
        else:
            raise AssertionError(f"{key} is not taken back")
        self.simulator.clear_faults()
        self.ledger.undo(self.adapter, key)

    def _fail(self, step: Step) -> None:
        self.simulator.clear_faults()
        if step.change:
            self.simulator.fault(step.change)
        if step.read:
            self.simulator.fault(step.read, operation=self.read)

    def _count(self, ended: Mapping[str, str]) -> None:
        effects = Counter(e["key"] for e in self.simulator.effects())
        for key, how in ended.items():
            row = self.ledger._find(key)
            already = row is not None and row.plan is not None and row.plan["already"]
            assert effects[key] == (1 if how == "done" and not already else 0), (key, how)

    def _state(self, place: Mapping[str, Any]) -> list[Any]:
        name = next(iter(place.values()))
        rows = [row for part in self.simulator.state().values() for row in part]
        return [row for row in rows if name in (row.get("node"), row.get("device"))]


@pytest.fixture
def olt(store: Store, tmp_path: Path) -> Iterator[Bench]:
    simulator = OltSimulator(tmp_path / "olt.db")
    yield Bench(store, OltAdapter(Settings(), Direct(simulator)), simulator, "olt.pon.get")
    simulator.close()


@pytest.fixture
def router(store: Store, tmp_path: Path) -> Iterator[Bench]:
    simulator = RouterSimulator(tmp_path / "router.db")
    yield Bench(store, RouterAdapter(Settings(), Direct(simulator)), simulator, "router.running.get")
    simulator.close()


def _steps(operations: st.SearchStrategy[tuple[str, dict[str, Any]]]) -> st.SearchStrategy[list[Step]]:
    fault = st.sampled_from((None, *FAULTS))
    step = st.builds(lambda o, change, read: Step(o[0], o[1], change, read), operations, fault, fault)
    return st.lists(step, min_size=1, max_size=6)


ONU = st.fixed_dictionaries(
    {
        "port": st.sampled_from(("1/3/7", "1/4/7")),
        "onu_serial": st.sampled_from(("YTGP00000001", "YTGP00000002")),
    }
)
SPEED = st.fixed_dictionaries({"speed_mbps": st.sampled_from((300, 500, 1000))})
AT_OLT = st.one_of(
    st.tuples(st.just("olt.onu.bind"), st.builds(lambda o, s: {**o, **s, "vlan": 1203}, ONU, SPEED)),
    st.tuples(st.just("olt.onu.profile"), st.builds(lambda o, s: {**o, **s}, ONU, SPEED)),
    st.tuples(st.sampled_from(("olt.onu.unbind", "olt.onu.reset")), ONU),
    st.tuples(st.just("olt.service_port.create"), st.just({"port": "1/3/7", "vlan": 1203})),
    st.tuples(st.just("olt.service_port.remove"), st.just({"port": "1/3/7"})),
)
ACCESS = st.fixed_dictionaries({"interface": st.just("ge-0/0/1"), "vlan": st.sampled_from((1203, 1204))})
AT_ROUTER = st.one_of(
    st.tuples(
        st.just("router.access.configure"),
        st.builds(
            lambda a, mbps: {
                **a,
                "vrf": "NONGXIN",
                "ip": f"192.0.2.{4 * (a['vlan'] - 1203) + 1}/30",
                "bandwidth_mbps": mbps,
            },
            ACCESS,
            st.sampled_from((10, 100)),
        ),
    ),
    st.tuples(st.just("router.access.remove"), ACCESS),
)
FEW = hypothesis.settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
MANY = hypothesis.settings(FEW, max_examples=200)


def _play_olt(bench: Bench, steps: list[Step]) -> None:
    earlier = {"port": "1/3/7", "onu_serial": "YTGP00000002", "vlan": 1000, "speed_mbps": 300}
    before = Step("olt.onu.bind", earlier, None, None)
    bench.play(steps, lambda order: {"node": "OLT-" + order}, before)


def _play_router(bench: Bench, steps: list[Step]) -> None:
    earlier = {"interface": "ge-0/0/1", "vlan": 1204, "vrf": "NONGXIN", "ip": None, "bandwidth_mbps": 50}
    before = Step("router.access.configure", earlier, None, None)
    bench.play(steps, lambda order: {"device": "PE-" + order}, before)


@FEW
@hypothesis.given(steps=_steps(AT_OLT))
def test_any_changes_at_an_olt_are_one_effect_each_and_can_be_taken_back(
    olt: Bench, steps: list[Step]
) -> None:
    _play_olt(olt, steps)


@FEW
@hypothesis.given(steps=_steps(AT_ROUTER))
def test_any_changes_at_a_router_are_one_effect_each_and_can_be_taken_back(
    router: Bench, steps: list[Step]
) -> None:
    _play_router(router, steps)


@pytest.mark.long
@MANY
@hypothesis.given(steps=_steps(AT_OLT))
def test_two_hundred_orders_at_an_olt(olt: Bench, steps: list[Step]) -> None:
    _play_olt(olt, steps)


@pytest.mark.long
@MANY
@hypothesis.given(steps=_steps(AT_ROUTER))
def test_two_hundred_orders_at_a_router(router: Bench, steps: list[Step]) -> None:
    _play_router(router, steps)
