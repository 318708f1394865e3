"""Dedicated lines on the stage: tasks of both ends side by side, tests that take hours, and what routers show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from adapters.json_http import wire_key
from engine.orders.model import ServiceOrder
from engine.resources.model import Resource
from engine.runtime.model import ProcessInstance
from engine.runtime.progress import values_of
from tasks.model import Task
from tests.answers import ANSWERS
from tests.dedicated_line_parts import P2P
from tests.machines import V1
from tests.scenario.stage import EVERYBODY, Play, Stage, stage_of_its_own

SECOND = "second"
"""Another data engineer: at the core it takes two."""
MORE = 60
"""How many more of each are in stock than the demo operator has: every line that is played keeps some."""


@dataclass
class Line(Play):
    """One dedicated line. Where both ends have a task of the same element, `end` says which one is meant."""

    order: str = ""
    """The order that it is a later item of."""

    def do(self, element: str, *, end: str = "", **values: Any) -> Line:
        """The open task of an element is completed, as when all goes well but for what is given; machines go on."""
        alone = values.pop("only", None)
        told = dict(alone) if alone is not None else {**ANSWERS[element], **values}
        task = self._tasks(element)[-1 if end == "Z" else 0]
        who = SECOND if element == "DL_11D" else EVERYBODY
        answer = self.machines.post(f"{V1}/tasks/{task}/complete", {"values": told}, who)
        assert answer.status_code == 200, (element, answer.text)
        self.site.work()
        return self

    def to(self, element: str) -> Line:
        """Everybody does his work, and tests run, until the task of an element is open."""
        for _ in range(40):
            open_now = self.open()
            if element in open_now:
                return self
            if open_now:
                self.do(open_now[0])
            else:
                assert self.state == "inProgress", (element, self.state, self.troubles())
                self.wait(hours=24)
        raise AssertionError(f"{element} was not reached: {self.open()}")

    def wait(self, **length: float) -> Line:
        """Time passes, and what is due happens. Months are longer than the tokens of the machines last."""
        super().wait(**length)
        self.machines.tokens.clear()
        return self

    def end(self) -> Line:
        """The rest, as it should go."""
        return self.to("DL_15").do("DL_15")

    @property
    def state(self) -> str:
        with self.site.store.read() as db:
            return str(db.get_one(ServiceOrder, self.order or self.number).state)

    def _tasks(self, element: str) -> list[str]:
        keys = [self.number, f"{self.number}-F"]
        query = select(Task.id).where(
            Task.business_key.in_(keys), Task.element == element, Task.closed_at.is_(None)
        )
        with self.site.store.read() as db:
            found = list(db.scalars(query.order_by(Task.id)))
        assert found, (element, self.open(), self.state, self.troubles())
        return found

    def variable(self, name: str) -> Any:
        """What its process knows by a name."""
        services = self.site.services
        with self.site.store.read() as db:
            row = db.scalars(select(ProcessInstance).where(ProcessInstance.business_key == self.number)).one()
            known = values_of(db, services.kernel, row.id, self.site.clock.now(), None)
            return known[name]

    def accesses(self) -> list[str]:
        """Which accesses of routers this order has made: `PE-E1 ge-0/1/0.2001`."""
        listed = self.stage.simulators.router.state()["accesses"]
        mine = f"description {wire_key(f'{self.number}:')}"
        return [f"{a['device']} {a['name']}" for a in listed if a["block"][0].startswith(mine)]

    def names(self, kind: str) -> dict[str, str]:
        """What it holds of a kind, by end."""
        query = select(Resource.slot, Resource.name).where(
            Resource.holder == self.number,
            Resource.kind == kind,
            Resource.state.in_(["reserved", "in_use"]),
        )
        with self.site.store.read() as db:
            return {row.slot: row.name for row in db.execute(query)}


def line(stage: Stage, **values: Any) -> Line:
    """A new order of a dedicated line, point-to-point unless it says otherwise, as far as machines move it."""
    play = stage.order(**{**P2P, **values})
    return Line(play.stage, play.number, play.onu)


@contextmanager
def line_stage(folder: Path) -> Iterator[Stage]:
    """The demo operator with enough ports, fibres and addresses for all that is played."""
    with stage_of_its_own(folder) as stage:
        stock(stage)
        yield stage


def stock(stage: Stage) -> None:
    """Puts more into stock, and a second data engineer to work."""
    stage.machines.add_person(SECOND, "DE", areas=("YT-E", "YT-N", "YT-W", "YT-S"))
    rows = []
    for node in ("PE-E1", "PE-N1", "MSTP-E1", "MSTP-S1"):
        rows += [("port", node, f"ge-0/{3 + n // 10}/{n % 10}") for n in range(MORE)]
        rows += [("vlan", node, str(3000 + n)) for n in range(MORE)]
    for cable in ("GL-E-01", "GL-N-01", "GL-S-01"):
        rows += [("fibre", cable, f"{100 + n}") for n in range(MORE)]
    at = stage.machines.site.clock.now()
    with stage.store.write() as db:
        db.add_all(
            Resource(kind=kind, place=place, name=name, state="free", slot="", changed_at=at)
            for kind, place, name in rows
        )
