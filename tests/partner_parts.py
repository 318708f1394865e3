"""A small process with a partner in it: try one partner, then the next; check the proof; and partners that answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from engine.deploy.definitions import Upload
from engine.partners.model import PartnerMessage, PartnerOrder
from engine.runtime.queries import get_instance, look_inside
from engine.store import Store
from tests.bpmn_xml import (
    element,
    end,
    flows,
    on_message,
    process,
    script,
    service,
    start,
    sub,
    timer_definition,
    user,
    xor,
)
from tests.machines import Machines, running_machines

ROOTS = (
    "".join(
        f'<message id="M_{name}" name="partner.{name}" />'
        for name in ("accepted", "refused", "progress", "done", "stopped")
    )
    + '<message id="M_cancel" name="order.cancel" />'
)
LOGINS = {"P-CAT": "partner-cat", "P-YQ": "partner-yq"}


def _message(tag: str, ident: str, name: str, **more: str) -> str:
    inner = f'<messageEventDefinition messageRef="M_{name}" />'
    return element(tag, ident, inner, _key="partner_order", **more)


def _on(ident: str, host: str, name: str, interrupts: bool = True) -> str:
    how = {"attachedToRef": host, "cancelActivity": "true" if interrupts else "false"}
    return _message("boundaryEvent", ident, name, **how)


def diagram() -> bytes:
    """Two tries, `partner` then `other`: what ends one without work leads to the next. A person checks the proof."""
    send = [
        *("input partner = partner", "input partner_order = partner_order", "input product = 'BB-500'"),
        *("input address = '西渡区渡口路9号'", "input customer = '林女士'", "input phone = '13800004021'"),
        "output partner_number = result.partner_number",
    ]
    which = ["input partner = partner", "input partner_order = partner_order"]
    body = (
        start(),
        script("init", "tries = 0\npartner_visit = 1\nprogress = ''"),
        service(
            "open",
            "input partner = partner",
            "output partner_order = result.partner_order",
            "output attempt = result.attempt",
            operation="partner.order.open",
        ),
        service("send", *send, operation="partner.order.send"),
        element("boundaryEvent", "send_no", "<errorEventDefinition />", attachedToRef="send"),
        sub(
            "answer",
            start("a0"),
            _message("intermediateCatchEvent", "accepted", "accepted"),
            end("a9"),
            flows("a0 accepted a9"),
        ),
        _on("refused", "answer", "refused"),
        on_message("cancelled", "answer", "cancel"),
        service("undo", operation="order.undo"),
        element(
            "boundaryEvent", "silent", timer_definition("PT2H"), attachedToRef="answer", cancelActivity="true"
        ),
        sub(
            "work",
            start("w0"),
            _message("intermediateCatchEvent", "done", "done"),
            end("w9"),
            flows("w0 done w9"),
        ),
        _on("given_up", "work", "refused"),
        _on("progress", "work", "progress", interrupts=False),
        script("noted", "progress = progress + partner_state + ' '"),
        end("noted9"),
        user("check", _role="DP"),
        xor("good", default="good_confirm"),
        service("confirm", *which, operation="partner.order.confirm"),
        service(
            "back",
            *which,
            "input visit = partner_visit",
            "input reason = 'photo'",
            "output partner_visit = result.visit",
            operation="partner.order.send_back",
        ),
        service("stop", *which, "output stop_outcome = result.outcome", operation="partner.order.stop"),
        script("next", "tries = tries + 1\npartner = other"),
        xor("left", default="left_open"),
        end("e", "none"),
        flows(
            *("s init open send answer work check good confirm e", "send_no next left open", "refused next"),
            "cancelled undo none",
            *("silent stop next", "given_up next", "progress noted noted9"),
            *("good back if check == 'bad'", "back work", "left none if tries >= 2"),
        ),
    )
    return process(*body, roots=ROOTS)


class Partnered:
    """The demo operator with that process, and partners whose messages reach our inbound address."""

    def __init__(self, machines: Machines) -> None:
        self.machines, self.site = machines, machines.site
        self.partners = machines.site.simulators.partner
        self.answers: list[TestResponse] = []
        self.partners.inbound = self.hear
        site, at = self.site, self.site.clock.now()
        with site.store.write() as session:
            upload = Upload("partner.bpmn", diagram(), {})
            (version,) = site.services.definitions.upload(session, upload, at=at, actor="test")
            site.services.definitions.deploy(session, version.id, at=at, actor="test")
            self.definition_id = version.id
        self.instance_id, self.key = 0, ""

    def hear(self, partner: str, message: Mapping[str, Any]) -> int:
        """Takes a message in as the web does."""
        answer = self.tell(message, partner)
        self.answers.append(answer)
        return answer.status_code

    def tell(
        self, message: Mapping[str, Any], partner: str = "P-CAT", who: str | None = None
    ) -> TestResponse:
        """A message of a partner, by HTTP."""
        path = f"/api/v1/partners/{partner}/messages"
        return self.machines.post(path, dict(message), who or LOGINS[partner])

    def start(self, key: str = "PI-20261122-000124", *, work: bool = True) -> None:
        """Starts the process; the partner's first answer has come if it is there."""
        site, values = self.site, {"partner": "P-CAT", "other": "P-YQ"}
        with site.store.write() as session:
            row = site.services.kernel.start(
                session, self.definition_id, key, values, at=site.clock.now(), actor="crm"
            )
            self.instance_id, self.key = row.id, key
        if work:
            site.work()

    def move(self, number: str = "P01", **how: Any) -> None:
        """A partner goes on."""
        self.partners.advance(f"{self.key}-{number}", **how)
        self.site.work()

    def cancel(self) -> None:
        """Somebody asks to cancel it."""
        site = self.site
        with site.store.write() as session:
            site.services.kernel.correlate(
                session, "order.cancel", self.key, {}, at=site.clock.now(), actor="crm"
            )
        site.work()

    def orders(self) -> dict[str, str]:
        """State of our partner orders by the end of their number."""
        with self.site.store.read() as session:
            rows = session.scalars(select(PartnerOrder).order_by(PartnerOrder.id))
            return {row.id[-3:]: row.state for row in rows}

    def order(self, number: str = "P01") -> PartnerOrder:
        """One of them."""
        with self.site.store.read() as session:
            return session.get_one(PartnerOrder, f"{self.key}-{number}")

    def messages(self) -> list[PartnerMessage]:
        """What has been taken in."""
        with self.site.store.read() as session:
            return list(session.scalars(select(PartnerMessage).order_by(PartnerMessage.id)))

    def resting(self) -> list[str]:
        """Elements at which the process waits."""
        return sorted(self._look()[0])

    def variables(self) -> dict[str, Any]:
        """What it knows."""
        return self._look()[1]

    def state(self) -> tuple[str, str | None]:
        """State and end event of the process."""
        with self.site.store.read() as session:
            row, _ = get_instance(session, self.instance_id)
            return row.state, row.end_element

    def _look(self) -> tuple[list[str], dict[str, Any]]:
        site = self.site
        with site.store.read() as session:
            row, _ = get_instance(session, self.instance_id)
            tokens, variables = look_inside(session, site.services.kernel, row, site.clock.now())
        return [t.element for t in tokens], variables

    def check(self, verdict: str) -> None:
        """A dispatcher looks at the proof."""
        site = self.site
        with site.store.write() as session:
            live = site.services.kernel.inspect(session, self.instance_id, site.clock.now())
            (token,) = [i for i, t in live.by_id.items() if t.task_spec.name == "check"]
            site.services.kernel.complete_task(
                session, self.instance_id, token, {"check": verdict}, at=site.clock.now(), actor="dispatcher"
            )
        site.work()


@contextmanager
def running_partners(store: Store, folder: Path) -> Iterator[Partnered]:
    """All of it, on a database of its own."""
    with running_machines(store, folder) as machines:
        yield Partnered(machines)
