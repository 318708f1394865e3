"""A stage for whole orders: the shipped processes, their people, a virtual clock, and everything that is outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bpmn.catalog import packaged
from engine.identity.actor import SYSTEM
from engine.jobs.incidents import incidents
from engine.jobs.model import AdapterCall
from engine.orders.model import ServiceOrder
from engine.partners.model import PartnerOrder
from engine.ports import LocalCall, LocalOperation
from engine.resources.model import Resource
from engine.runtime.live import LiveInstances
from engine.store import Store, migrate
from tasks.field.model import Crew
from tasks.model import Task
from tests.answers import ANSWERS
from tests.machines import CANCEL, V1, Machines, running_machines

EVERYBODY = "everybody"
"""Somebody with all roles of the field and the desk: who may do what is tested elsewhere."""
ROLES = ("FC", "PT", "DP", "SV", "OP", "NC", "RS", "TX", "DE", "PM", "MT", "CM", "CS", "QA")
ADMINISTRATOR = "admin"
_RATE = "INSERT INTO radgroupreply(groupname, attribute, op, value) VALUES (?, ?, ':=', '1000000')"


@dataclass
class Stage:
    """One installation on which orders are played one after the other."""

    machines: Machines
    played: int = 0
    orders: list[str] = field(default_factory=list)
    moved_from: dict[str, Play] = field(default_factory=dict)
    """The order that built a line which moves, by the number of the order that moves it."""

    def order(self, **values: Any) -> Play:
        """A new order, as far as machines move it."""
        self.played += 1
        number = self.machines.site.place_order(**values)
        self.orders.append(number)
        self.machines.site.work()
        return Play(self, number, self._terminal())

    def _terminal(self) -> str:
        """One more ONU in the store, so that no order has to wait for another's."""
        serial = f"YTGPT{self.played:07d}"
        with self.machines.site.store.write() as db:
            at = self.machines.site.clock.now()
            db.add(Resource(kind="onu", name=serial, place="WH-E", changed_at=at))
        return serial

    @property
    def simulators(self) -> Any:
        """The world outside."""
        return self.machines.site.simulators

    @property
    def store(self) -> Store:
        """Our own database."""
        return self.machines.site.store

    def store_between_all_steps(self) -> None:
        """From now on nothing of an order is kept in memory, not even from one step to the next."""
        kernel = self.machines.site.services.kernel
        kernel.step_budget, kernel.live = 1, LiveInstances(most=0)

    def hear(self, partner: str, message: Mapping[str, Any]) -> int:
        """What a partner tells comes in at our address."""
        path = f"{V1}/partners/{partner}/messages"
        return self.machines.post(path, message, ADMINISTRATOR).status_code

    # ---- what happens around an order

    def later(self, **length: float) -> str:
        """A moment that a form may name."""
        return (self.machines.site.clock.now() + timedelta(**length)).isoformat()

    def break_port(self, play: Play) -> None:
        """The port that an order has is faulty from now on; it shows when somebody uses it."""
        query = select(Resource).where(Resource.holder == play.number, Resource.kind == "port")
        with self.machines.site.store.read() as db:
            port = db.scalars(query).one()
        self.simulators.olt.set_port(node=port.place, port=port.name, faulty=True)

    def silence(self, play: Play, is_silent: bool = True) -> None:
        """The telephone of an order is not plugged in, or is again."""
        query = select(Resource.name).where(Resource.holder == play.number, Resource.kind == "number")
        with self.store.read() as db:
            number = db.scalars(query).one()
        self.simulators.ims.set_terminal(number=number, registered=not is_silent)

    @contextmanager
    def without_crew(self, crew: str) -> Iterator[None]:
        """A crew that does not work today."""
        self._set_crew(crew, False)
        yield
        self._set_crew(crew, True)

    def _set_crew(self, crew: str, active: bool) -> None:
        with self.machines.site.store.write() as db:
            db.get_one(Crew, crew).active = active

    @contextmanager
    def slow_plan(self, group: str) -> Iterator[None]:
        """The AAA server grants an old, slower rate to a plan."""
        name = "WISPr-Bandwidth-Max-Down"
        rates = "DELETE FROM radgroupreply WHERE groupname = ?"
        with self.simulators.aaa.write() as db:
            db.execute(rates, (group,))
            db.execute(_RATE, (group, name))
        yield
        with self.simulators.aaa.write() as db:
            db.execute(rates, (group,))

    def rival(self, node: str) -> AbstractContextManager[None]:
        """Another order takes all ports of a node between the choice and the reservation."""
        return self.rival_at("resource.choose", node)

    @contextmanager
    def rival_at(self, operation: str, node: str) -> Iterator[None]:
        """Another order takes all ports of a node when this operation has been done."""
        kernel = self.machines.site.services.kernel
        calm, kernel.local = kernel.local, dict(kernel.local)
        kernel.local[operation] = _RivalFirst(calm[operation], node)
        yield
        kernel.local = calm
        self._leave(node)

    @contextmanager
    def without_numbers(self) -> Iterator[None]:
        """Other orders have all telephone numbers that are free."""
        with self.store.write() as db:
            _take_all(db, "IMS-1", "number")
        yield
        self._leave("IMS-1")

    @contextmanager
    def full(self, node: str) -> Iterator[None]:
        """Other orders have all ports of a node that are free."""
        with self.machines.site.store.write() as db:
            _take_all(db, node)
        yield
        self._leave(node)

    def _leave(self, node: str) -> None:
        with self.machines.site.store.write() as db:
            rows = update(Resource).where(Resource.place == node, Resource.holder == "RIVAL")
            db.execute(rows.values(state="free", holder=None))

    def heal(self) -> None:
        """Everything outside works again."""
        for simulator in self.simulators.by_name().values():
            simulator.clear_faults()


@dataclass
class Play:
    """One order on the stage. `onu` is the terminal of its customer."""

    stage: Stage
    number: str
    onu: str
    line: Any = None
    """The line that it is about, where that was there before."""

    # ---- what is done

    def do(self, element: str, **values: Any) -> Play:
        """The open task of an element is completed, as when all goes well but for what is given; machines go on."""
        task, who = self.task(element), values.pop("who", EVERYBODY)
        alone = values.pop("only", None)
        told = dict(alone) if alone is not None else {**ANSWERS[element], **values}
        if "onu_serial" in told:
            told["onu_serial"] = self.onu
        answer = self.machines.post(f"{V1}/tasks/{task}/complete", {"values": told}, who)
        assert answer.status_code == 200, (element, answer.text)
        self.site.work()
        return self

    def to(self, element: str) -> Play:
        """Everybody does his work until the task of an element is open."""
        for _ in range(12):
            open_now = self.open()
            if element in open_now:
                return self
            assert open_now, (element, self.state, self.troubles())
            self.do(open_now[0])
        raise AssertionError(f"{element} was not reached: {self.open()}")

    def wait(self, **length: float) -> Play:
        """Time passes, and what is due happens."""
        self.site.clock.advance(timedelta(**length))
        self.site.work()
        return self

    def cancel(self) -> Play:
        """The customer does not want it any more; whoever has to clear up does so."""
        self.wish_to_cancel()
        while self.open():
            self.do(self.open()[-1])
        return self

    def wish_to_cancel(self) -> Play:
        """The customer does not want it any more; what that leads to is left to the story."""
        body = {"serviceOrder": {"id": self.number}, "cancellationReason": "C01"}
        answer = self.machines.post(CANCEL, body)
        assert answer.status_code == 201, answer.text
        self.site.work()
        return self

    def partner(self, to: str, **how: Any) -> Play:
        """The partner moves its order on, and tells us."""
        self.stage.simulators.partner.advance(self.partner_order, to=to, **how)
        self.site.work()
        return self

    @property
    def partner_order(self) -> str:
        """Our number of its newest partner order."""
        query = select(PartnerOrder.id).where(PartnerOrder.business_key == self.number)
        with self.site.store.read() as db:
            return str(db.scalars(query.order_by(PartnerOrder.attempt.desc())).first())

    # ---- what is seen

    @property
    def machines(self) -> Machines:
        return self.stage.machines

    @property
    def site(self) -> Any:
        return self.machines.site

    def open(self, key: str | None = None) -> list[str]:
        """Elements with an open task, oldest first."""
        query = select(Task.element).where(
            Task.business_key == (key or self.number), Task.closed_at.is_(None)
        )
        with self.site.store.read() as db:
            return list(db.scalars(query.order_by(Task.created_at, Task.id)))

    def task(self, element: str) -> str:
        """The open task of an element, of the order or of its follow-up."""
        query = select(Task.id).where(
            Task.business_key.in_([self.number, f"{self.number}-F"]),
            Task.element == element,
            Task.closed_at.is_(None),
        )
        with self.site.store.read() as db:
            found = db.scalars(query).all()
        assert len(found) == 1, (element, self.open(), self.state, self.troubles())
        return str(found[0])

    @property
    def state(self) -> str:
        with self.site.store.read() as db:
            return str(db.get_one(ServiceOrder, self.number).state)

    @property
    def code(self) -> str | None:
        """The reason with which the order ended."""
        with self.site.store.read() as db:
            return db.get_one(ServiceOrder, self.number).error_code

    @property
    def why(self) -> str:
        """What was said about the reason."""
        with self.site.store.read() as db:
            return str(db.get_one(ServiceOrder, self.number).error_message)

    def troubles(self) -> list[tuple[str, str, str]]:
        """Its open incidents."""
        with self.site.store.read() as db:
            found, _ = incidents(db, SYSTEM)
            return [(str(i.element), i.code, i.message) for i in found if i.business_key == self.number]

    def holds(self) -> dict[str, str]:
        """What it holds: kind and state."""
        query = select(Resource.kind, Resource.state).where(
            Resource.holder == self.number, Resource.state.in_(["reserved", "in_use", "held"])
        )
        with self.site.store.read() as db:
            return {row.kind: row.state for row in db.execute(query)}

    def calls(self) -> set[str]:
        """In which states its calls to the outside are left."""
        query = select(AdapterCall.state).where(
            AdapterCall.key.startswith(f"{self.number}:"), AdapterCall.target != "local"
        )
        with self.site.store.read() as db:
            return set(db.scalars(query))

    def reports(self) -> list[dict[str, Any]]:
        """What the CRM was told of its end."""
        reports = self.stage.simulators.crm.state()["reports"]
        return [report["body"] for report in reports if report["body"]["order"] == self.number]

    def outside(self) -> dict[str, int]:
        """What there is of this order at the systems outside."""
        return {
            "accounts": _of(self.stage.simulators.aaa.state(), self.number),
            "olt": _of(self.stage.simulators.olt.state(), self.number),
            "numbers": _of(self.stage.simulators.ims.state(), self.number),
        }


def _of(state: Any, number: str) -> int:
    """How many entries of a simulator's state name this order as their maker."""
    if isinstance(state, dict):
        reference = state.get("reference")
        mine = isinstance(reference, str) and reference.startswith(number)
        return int(mine) + sum(_of(value, number) for value in state.values())
    if isinstance(state, list):
        return sum(_of(value, number) for value in state)
    return 0


class _RivalFirst:
    """Chooses as the product does; then somebody else is faster."""

    reads_only = False

    def __init__(self, inner: LocalOperation, node: str) -> None:
        self.operation, self._inner, self._node = inner.operation, inner, node

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        chosen = self._inner.run(session, call)
        _take_all(session, self._node)
        return chosen


def _take_all(session: Session, place: str, kind: str = "port") -> None:
    free = update(Resource).where(Resource.place == place, Resource.kind == kind, Resource.state == "free")
    session.execute(free.values(state="reserved", holder="RIVAL"))


@contextmanager
def running_stage(store: Store, folder: Path, timeout: float = 2.0) -> Iterator[Stage]:
    """The demo operator with the shipped processes."""
    settings = {"retry_seconds": 0.0, "adapter_timeout_seconds": timeout}
    with running_machines(store, folder, bundles=packaged(), **settings) as machines:
        machines.add_person(EVERYBODY, *ROLES, areas=("YT-E", "YT-N", "YT-W", "YT-S"))
        stage = Stage(machines)
        stage.simulators.partner.inbound = stage.hear
        yield stage


@contextmanager
def stage_of_its_own(folder: Path, timeout: float = 2.0) -> Iterator[Stage]:
    """A stage on a new SQLite database in a folder."""
    store = Store(f"sqlite:///{folder / 'kaitong.db'}")
    migrate.upgrade(store)
    try:
        with running_stage(store, folder, timeout) as running:
            yield running
    finally:
        store.close()
