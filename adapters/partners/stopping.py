"""Stopping an order at a partner (合作方停工): it confirms at once, or later by a message, or it is too late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.operation import Args
from adapters.partners import schemas
from adapters.partners.wire import PartnerOperation, Partners
from engine.ports import Call, Observed, Operation, Plan, Repeat, Result

_REFUSED = {"PARTNER_REFUSED": "合作方拒收 / the partner refuses"}


class StopOrder(PartnerOperation):
    """Asks a partner to stop. An order that it has never got, or has refused, is stopped."""

    def __init__(self, partners: Partners) -> None:
        super().__init__(partners)
        self.operation = Operation(
            name="partner.order.stop",
            title_zh="通知合作方停工",
            title_en="Ask a partner to stop an order",
            request=schemas.StopRequest,
            response=schemas.StopResponse,
            repeat=Repeat.BY_KEY,
            timeout_s=partners.timeout_s,
            errors=_REFUSED,
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """How far the partner is."""
        found = self.read(args, deadline)
        return Plan(
            steps=(f"POST stop of {args['partner_order']}",),
            before={"state": None if found is None else found["state"]},
            after={"stop": "asked"},
            already=_outcome(found) is not None,
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Asks, unless there is nothing to stop; then looks what was answered."""
        if plan.already and self.read(args, deadline) is None:
            return Result("already", {"outcome": "confirmed"})
        answer = self.post(args, "stop", {"reason": args["reason"]}, call.key, deadline)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when the partner has answered our wish, whatever it said."""
        outcome = _outcome(self.read(args, deadline))
        return (Observed.ABSENT, {}) if outcome is None else (Observed.EQUAL, {"outcome": outcome})


def stop(operation: PartnerOperation, args: Args, reason: str, key: str, deadline: float) -> str:
    """Asks a partner to stop, for an undo; what it answers."""
    answer = operation.post(args, "stop", {"reason": reason}, key, deadline)
    return str(answer.body.get("stop"))


def _outcome(found: Args | None) -> str | None:
    """What the partner has said to our wish; None while it has not heard of it."""
    if found is None or found["state"] in ("refused", "stopped"):
        return "confirmed"
    return None if found["stop"] is None else str(found["stop"])
