"""The demo operator on a virtual clock: its CRM, its people, its partners, and the product between them."""

from __future__ import annotations

import heapq
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from flask.testing import FlaskClient

from adapters.sim.server import RunningSimulators, running_simulators
from bpmn.forms import FormInvalid
from engine.config import Settings
from engine.errors import KaitongError
from engine.identity.actor import SYSTEM, Actor
from engine.identity.people import actor_of, find_person
from engine.identity.tokens import create_token, revoke_token, tokens_of
from engine.jobs.worker import Worker
from engine.testing import FakeClock
from tasks.model import Task
from tasks.worklist import CompleteTask, complete, get_task, is_for_another
from web import demo_data
from web.playing.faults import TICKETS, Line, mend, report_of, spoil, working_line
from web.playing.people import all_open, is_for, known, order_of
from web.playing.script import Complaint, Script, Trouble, Wish, fill
from web.services import Services

ORDERS = "/tmf-api/serviceOrdering/v4/serviceOrder"
CANCEL = "/tmf-api/serviceOrdering/v4/cancelServiceOrder"
STEP = timedelta(minutes=10)
"""How far the clock jumps at most."""
_TOKEN = "played"  # noqa: S105  (its name, not its text)
_PARTNER_STEPS = (("accepted", 30), ("appointed", 40), ("on_site", 600), ("done", 90))
"""What partners do with an order, and after how many minutes."""


class PlayWentWrong(KaitongError):
    """The demonstration could not be played at "{step}": {detail}."""

    code = "demo.play"


@dataclass
class Company:
    """Everything that moves."""

    script: Script
    clock: FakeClock
    services: Services
    worker: Worker
    ticks: list[Callable[[], object]]
    simulators: RunningSimulators
    client: FlaskClient
    tokens: Mapping[str, str]
    chance: Random
    begin: datetime
    plan: list[tuple[datetime, int, Callable[[], object]]] = field(default_factory=list)
    seen_tasks: set[str] = field(default_factory=set)
    seen_partner_orders: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    spoiled: dict[str, Line] = field(default_factory=dict)
    """The line of each fault report."""
    serial: Iterator[int] = field(default_factory=itertools.count)

    def perform(self, tell: Callable[[int, int], None]) -> int:
        """Plays until the clock has come to the end; the number of orders. `tell`: hours played, and of how many."""
        end = self.begin + self.script.length
        for wish in self.script.wishes:
            self._at(self.begin + wish.at, self._placing(wish))
        for complaint in self.script.complaints:
            self._at(self.begin + complaint.at, self._complaining(complaint))
        for trouble in self.script.troubles:
            self._at(self.begin + trouble.at, self._breaking(trouble))
        hours = int(self.script.length / timedelta(hours=1))
        told = -1
        while self.clock.now() < end:
            upcoming = self.plan[0][0] if self.plan else end
            moment = max(min(upcoming, self.clock.now() + STEP, end), self.clock.now())
            self.clock.advance(moment - self.clock.now())
            while self.plan and self.plan[0][0] <= moment:
                heapq.heappop(self.plan)[2]()
            self._work()
            self._look()
            played = int((moment - self.begin) / timedelta(hours=1))
            if played != told:
                told = played
                tell(played, hours)
        for simulator in self.simulators.by_name().values():
            simulator.clear_faults()
        return len(self.script.wishes) + len(self.script.complaints)

    # ---- what happens

    def _at(self, when: datetime, what: Callable[[], object]) -> None:
        heapq.heappush(self.plan, (when, next(self.serial), what))

    def _work(self) -> None:
        while self.worker.run_once():
            pass
        for tick in self.ticks:
            tick()

    def _placing(self, wish: Wish) -> Callable[[], None]:
        def place() -> None:
            number = f"CRM-88{120000 + next(self.serial):06}"
            order = self._post(ORDERS, "crm", order_of(wish, number, self.chance))
            if wish.regret is not None:
                self._at(self.clock.now() + wish.regret, lambda: self._cancel(str(order["id"])))

        return place

    def _complaining(self, complaint: Complaint) -> Callable[[], object]:
        def complain() -> None:
            taken = {line.account for line in self.spoiled.values()}
            with self.services.store.read() as session:
                line = working_line(session, self.chance, taken)
            if line is None:
                return
            spoil(self.simulators, line, complaint.wrong)
            body = report_of(complaint, line, f"CRM-F{next(self.serial):06}")
            self.spoiled[str(self._post(TICKETS, "crm", body)["id"])] = line

        return complain

    def _breaking(self, trouble: Trouble) -> Callable[[], object]:
        simulator = self.simulators.by_name()[trouble.simulator]
        return lambda: simulator.fault(trouble.fault, times=trouble.times)

    def _cancel(self, order: str) -> None:
        body = {"serviceOrder": {"id": order}, "cancellationReason": "C01"}
        self.client.post(CANCEL, json=body, headers=self._as("crm"))  # refused where it comes too late

    def _look(self) -> None:
        """New tasks and new partner orders get a time at which somebody deals with them."""
        with self.services.store.read() as session:
            for task in all_open(session, self.clock.now()):
                if task.id not in self.seen_tasks:
                    self.seen_tasks.add(task.id)
                    self._plan_task(task.id, task.element, task.created_at)
        for order in self.simulators.partner.orders():
            number = str(order["order"])
            if number not in self.seen_partner_orders:
                self.seen_partner_orders.add(number)
                self._plan_partner(number)

    def _plan_task(self, task: str, element: str, opened: datetime) -> None:
        answer = self.script.answers.get(element)
        if answer is None:
            self.unanswered.add(element)
            return
        zone = self.services.settings.zone
        self._at(
            answer.due(opened, zone, self.chance), lambda: self._complete(task, answer.pick(self.chance))
        )

    def _plan_partner(self, number: str) -> None:
        if self.chance.random() < 0.1:  # they say nothing, and are stopped
            return
        at = self.clock.now()
        if self.chance.random() < 0.12:
            self._at(
                at + timedelta(minutes=25), self._moving(number, "refused", code="R04", reason="无空闲资源")
            )
            return
        for state, minutes in _PARTNER_STEPS:
            at += timedelta(minutes=minutes * self.chance.uniform(0.5, 1.5))
            self._at(at, self._moving(number, state))

    def _moving(self, number: str, state: str, **how: Any) -> Callable[[], None]:
        def move() -> None:
            order = next(o for o in self.simulators.partner.orders() if o["order"] == number)
            if order["state"] not in ("stopped", "refused", "confirmed"):
                self.simulators.partner.advance(number, to=state, **how)

        return move

    # ---- who does it

    def _complete(self, task_id: str, answer: Mapping[str, Any]) -> None:
        """Somebody whose task it is completes it; one that is closed by now is left."""
        with self.services.store.write() as session:
            task = get_task(session, SYSTEM, task_id)
            if task.closed_at is not None:
                return
            actor = self._somebody(session, task)
            if actor is None:
                self.unanswered.add(f"{task.element}: {task.role}")
                return
            now = self.clock.now().astimezone(self.services.settings.zone)
            line = self.spoiled.get(task.business_key)
            if line is not None and self.script.answers[task.element].mends:
                mend(self.simulators, line)
            facts = known(session, task) | {"line": "" if line is None else line.account}
            command = CompleteTask(task_id, fill(answer, facts, now, self.chance))
            try:
                complete(session, self.services.kernel, actor, command, at=self.clock.now())
            except (KaitongError, FormInvalid) as e:
                raise PlayWentWrong(step=f"{task.element} of {task.business_key}", detail=str(e)) from e

    def _somebody(self, session: Any, task: Task) -> Actor | None:
        fits = [
            one.login
            for one in demo_data.people()
            if is_for(session, task, one)
            and not is_for_another(session, self.services.definitions, task, one.login)
        ]
        person = find_person(session, self.chance.choice(fits)) if fits else None
        return None if person is None else actor_of(session, person)

    # ---- the way in

    def hear(self, partner: str, message: Mapping[str, Any]) -> int:
        """What a partner tells comes in at our address."""
        path = f"/api/v1/partners/{partner}/messages"
        return self.client.post(path, json=message, headers=self._as(partner)).status_code

    def _post(self, path: str, who: str, body: Mapping[str, Any]) -> Any:
        answer = self.client.post(path, json=body, headers=self._as(who))
        if answer.status_code >= 400:
            raise PlayWentWrong(
                step=path, detail=f"{answer.status_code} {answer.get_data(as_text=True)[:300]}"
            )
        return answer.get_json()

    def _as(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}


@contextmanager
def open_company(settings: Settings, script: Script, chance: Random, until: datetime) -> Iterator[Company]:
    """The company of an installation that has been seeded; its clock stands at the beginning of the play."""
    from web.bootstrap import assemble, expiry_sweep, sla_sweep, web_app, worker

    begin = until - script.length
    clock = FakeClock(begin)
    with running_simulators(settings.data_dir / "simulators", secret=settings.aaa_secret) as simulators:
        for simulator in simulators.by_name().values():
            simulator.keep_time(clock.now)
        services = assemble(replace(simulators.applied_to(settings), retry_seconds=30.0), clock=clock)
        try:
            with services.store.write() as session:
                demo_data.subscribe_crm(session, simulators.crm_url, clock.now())
                tokens = _tokens(session, begin)
            company = Company(
                script,
                clock,
                services,
                worker(services),
                [sla_sweep(services).run, expiry_sweep(services).run],
                simulators,
                web_app(services).test_client(),
                tokens,
                chance,
                begin,
            )
            simulators.partner.inbound = company.hear
            yield company
            with services.store.write() as session:
                _end_tokens(session, until)
        finally:
            services.registry.close()
            services.store.close()


def _tokens(session: Any, at: datetime) -> dict[str, str]:
    logins = {"crm": demo_data.CRM_LOGIN} | {partner: login for login, _, partner in demo_data.PARTNER_LOGINS}
    found = {}
    for who, login in logins.items():
        person = find_person(session, login)
        if person is None:
            raise PlayWentWrong(step="logins", detail=f"{login} is not there")
        found[who] = create_token(session, person.id, _TOKEN, 7, at=at)
    return found


def _end_tokens(session: Any, at: datetime) -> None:
    logins = (demo_data.CRM_LOGIN, *(login for login, _, _ in demo_data.PARTNER_LOGINS))
    for person in filter(None, (find_person(session, login) for login in logins)):
        for token in tokens_of(session, person.id):
            if token.name == _TOKEN:
                revoke_token(session, token.id, at=at, by="system")


@contextmanager
def quiet_log() -> Iterator[None]:
    """Failures are part of the play; they are not told on the screen."""
    log = logging.getLogger("kaitong")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
