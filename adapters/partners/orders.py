"""Orders to partners (合作方工单): sending, looking, and our check of their proof. Stopping is in `stopping`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from adapters.json_http import Ask
from adapters.operation import Args, Look, OperationAdapter
from adapters.partners import schemas
from adapters.partners.stopping import StopOrder, stop
from adapters.partners.tickets import CreateTicket, TicketState
from adapters.partners.wire import ORDER_UNKNOWN, PartnerOperation, Partners, target
from engine.config import Settings
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Retryable
from engine.ports import Call, Observed, Operation, Plan, Repeat, Result, Undo

REFUSED, NOT_DONE = "PARTNER_REFUSED", "PARTNER_NOT_DONE"
REFUSALS = {
    REFUSED: "合作方拒收 / the partner refuses",
    "R04": "无资源 / no resource",
    "R05": "线路不具备 / the line can't be built",
    "R06": "物业阻挠 / the property refuses",
    "R07": "定单信息错误 / order data are wrong",
    "R11": "合作方拒单 / the partner refuses the order",
}
_UNKNOWN_TO_IT = {ORDER_UNKNOWN: "合作方没有此单 / the partner has never got this order"}


class SendOrder(PartnerOperation):
    """Gives an order to a partner. Our number of it is the key by which the partner can be asked."""

    def __init__(self, partners: Partners) -> None:
        super().__init__(partners)
        self.operation = Operation(
            name="partner.order.send",
            title_zh="派单给合作方",
            title_en="Send an order to a partner",
            request=schemas.SendRequest,
            response=schemas.SendResponse,
            repeat=Repeat.BY_KEY,
            undo=Undo.INVERSE,
            timeout_s=partners.timeout_s,
            errors=REFUSALS,
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Whether the partner has it already."""
        found = self.read(args, deadline)
        return Plan(
            steps=(f"POST order {args['partner_order']} to {args['partner']}",),
            before={"state": None if found is None else found["state"]},
            after={"order": args["partner_order"]},
            undo={"stop": args["partner_order"]},
            already=found is not None and _same(args, found),
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Sends it, then looks."""
        answer = self.partners.send(
            args["partner"],
            Ask(
                "POST",
                self.partners.orders_url(args["partner"]),
                deadline,
                key=call.key,
                body={
                    "order": args["partner_order"],
                    "product": args["product"],
                    "speed_mbps": args["speed_mbps"],
                    "address": args["address"],
                    "wished_window": args["wished_window"],
                    "contact": {"name": masked_name(args["customer"]), "phone": args["phone"]},
                },
                secrets=(args["phone"], args["customer"]),
            ),
        )
        self.understood(schemas.OrderAnswer, answer.body, OutcomeUnknown)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when the partner has this order for this address."""
        found = self.read(args, deadline)
        if found is None:
            return Observed.ABSENT, {}
        if not _same(args, found):
            return Observed.DIFFERENT, {}
        return Observed.EQUAL, {"partner_number": found["partner_number"], "state": found["state"]}

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Stops it; work that is done already, or that the partner does not stop at once, is for a person."""
        found = self.read(args, deadline)
        if found is None or found["state"] in ("stopped", "refused"):
            return Result("already", {})
        outcome = stop(self, args, "order cancelled", call.key + ":undo", deadline)
        if outcome != "confirmed":
            raise NeedsHuman(
                target=target(args["partner"]), detail=f"it was asked to stop and answered {outcome}"
            )
        return Result("done", {})


class OrderState(Look, PartnerOperation):
    """How far an order is at the partner. Changes nothing."""

    def __init__(self, partners: Partners) -> None:
        super().__init__(partners)
        self.operation = Operation(
            name="partner.order.state",
            title_zh="查询合作方工单",
            title_en="Ask for an order's state at a partner",
            request=schemas.OrderRequest,
            response=schemas.StateResponse,
            repeat=Repeat.NATIVE,
            timeout_s=partners.timeout_s,
            errors=_UNKNOWN_TO_IT,
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Nothing will change."""
        return Plan(steps=(f"GET order {args['partner_order']} at {args['partner']}",), before={}, after={})

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Looks."""
        found = self.known(args, deadline)
        return Result("done", {name: found[name] for name in schemas.StateResponse().fields})


class CheckOrder(PartnerOperation):
    """What we say to their proof: it holds (confirm), or the crew has to come again (send_back)."""

    def __init__(self, partners: Partners, *, holds: bool) -> None:
        super().__init__(partners)
        self._holds = holds
        self.operation = Operation(
            name="partner.order.confirm" if holds else "partner.order.send_back",
            title_zh="合作方施工验收通过" if holds else "合作方施工退回整改",
            title_en="Confirm a partner's work" if holds else "Send a partner's work back",
            request=schemas.OrderRequest if holds else schemas.SendBackRequest,
            response=schemas.CheckResponse,
            repeat=Repeat.BY_KEY,
            timeout_s=partners.timeout_s,
            errors={
                REFUSED: REFUSALS[REFUSED],
                NOT_DONE: "合作方尚未完工 / the partner has not done it",
                **_UNKNOWN_TO_IT,
            },
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Where the order is now."""
        found = self.known(args, deadline)
        result = "confirmed" if self._holds else "sent_back"
        return Plan(
            steps=(f"POST check of {args['partner_order']}: {result}",),
            before={"state": found["state"], "visit": found["visit"]},
            after={"state": result},
            already=self._is_so(args, found),
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Tells it, then looks."""
        body: dict[str, Any] = {"result": "confirmed"}
        if not self._holds:
            body = {"result": "sent_back", "visit": args["visit"], "reason": args["reason"]}
        answer = self.post(args, "check", body, call.key, deadline)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when the partner knows what we think of it."""
        found = self.known(args, deadline)
        if not self._is_so(args, found):
            return Observed.ABSENT, {}
        return Observed.EQUAL, {"visit": found["visit"]}

    def _is_so(self, args: Args, found: Args) -> bool:
        if self._holds:
            return bool(found["state"] == "confirmed")
        return bool(found["visit"] > args["visit"])


class ListOrders(Look):
    """All orders that are open at a partner. Changes nothing."""

    def __init__(self, partners: Partners) -> None:
        self.partners = partners
        self.operation = Operation(
            name="partner.orders.list",
            title_zh="合作方在途工单清单",
            title_en="List the open orders of a partner",
            request=schemas.ListRequest,
            response=schemas.ListResponse,
            repeat=Repeat.NATIVE,
            timeout_s=partners.timeout_s,
        )

    def target_of(self, args: Args) -> str:
        """The partner that is meant."""
        return target(args.get("partner"))

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Nothing will change."""
        return Plan(steps=(f"GET open orders of {args['partner']}",), before={}, after={})

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Looks."""
        ask = Ask("GET", self.partners.orders_url(args["partner"]), deadline)
        answer = self.partners.send(args["partner"], ask)
        return Result("done", self.understood(schemas.ListAnswer, answer.body, Retryable))


class PartnerAdapter(OperationAdapter):
    """All partners that have an interface: which of them is meant stands in each call."""

    name = "partner"

    def __init__(self, settings: Settings) -> None:
        self._partners = partners = Partners(settings)
        super().__init__(
            [
                SendOrder(partners),
                StopOrder(partners),
                OrderState(partners),
                CheckOrder(partners, holds=True),
                CheckOrder(partners, holds=False),
                ListOrders(partners),
                CreateTicket(partners),
                TicketState(partners),
            ]
        )

    def probe(self) -> Mapping[str, Any]:
        """Whether every partner of the settings answers; without any, the simulator."""
        started, away = time.monotonic(), []
        for partner in self._partners.addresses.partners() or ("P-CAT",):
            try:
                ask = Ask(
                    "GET",
                    f"{self._partners.addresses.partner_url(partner)}/health",
                    started + self._partners.timeout_s,
                    expected=(404,),
                )
                self._partners.send(partner, ask)
            except AdapterError as e:
                away.append(e.text())
        ms = round((time.monotonic() - started) * 1000)
        return {"ok": False, "detail": "; ".join(away)} if away else {"ok": True, "ms": ms}

    def close(self) -> None:
        """Gives back connections."""
        self._partners.close()


def masked_name(name: str) -> str:
    """A crew that rings the bell needs a family name, not more."""
    return f"{name[0]}**"


def _same(args: Args, found: Args) -> bool:
    return bool(found["address"] == args["address"] and found["product"] == args["product"])
