"""What all operations at partners share: finding the partner's system, and reading an order there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.addresses import Addresses
from adapters.json_http import Answer, Ask, JsonHttp, segment
from adapters.operation import Args, OutsideOperation
from adapters.partners import schemas
from engine.config import Settings
from engine.errors import NeedsHuman, OutcomeUnknown, Permanent, Retryable

ORDER_UNKNOWN = "ORDER_UNKNOWN"
"""What a partner says about an order that it has never got."""


def target(partner: object) -> str:
    """What breakers and leases hang on."""
    return f"partner:{partner}"


class Partners:
    """The way to all partners; safe for several threads."""

    def __init__(self, settings: Settings) -> None:
        self.timeout_s = settings.adapter_timeout_seconds
        self.addresses = Addresses(settings)
        self._http = JsonHttp("partner")

    def send(self, partner: str, ask: Ask) -> Answer:
        """One request to one partner."""
        return self._http.send(
            replace(ask, target=target(partner), bearer=self.addresses.partner_token(partner))
        )

    def orders_url(self, partner: str) -> str:
        """Where its orders are."""
        return f"{self.addresses.partner_url(partner)}/orders"

    def close(self) -> None:
        """Gives back connections."""
        self._http.close()


class PartnerOperation(OutsideOperation):
    """An operation on one order at one partner."""

    def __init__(self, partners: Partners) -> None:
        self.partners = partners

    def target_of(self, args: Args) -> str:
        """The partner that is meant."""
        return target(args.get("partner"))

    def read(self, args: Args, deadline: float) -> Args | None:
        """The order as the partner has it; None when it has never got it."""
        url = f"{self.partners.orders_url(args['partner'])}/{segment(args['partner_order'])}"
        answer = self.partners.send(args["partner"], Ask("GET", url, deadline, expected=(404,)))
        if answer.status != 404:
            return self.understood(schemas.OrderAnswer, answer.body, Retryable)
        if answer.body.get("code") != ORDER_UNKNOWN:
            raise NeedsHuman(
                target=target(args["partner"]),
                detail="it does not know this interface; check its address in KAITONG_PARTNER_URLS",
            )
        return None

    def known(self, args: Args, deadline: float) -> Args:
        """The order as the partner has it. Raises `Permanent` with ORDER_UNKNOWN."""
        found = self.read(args, deadline)
        if found is None:
            detail = f"it has never got {args['partner_order']}"
            raise Permanent(ORDER_UNKNOWN, target=target(args["partner"]), detail=detail)
        return found

    def post(self, args: Args, what: str, body: Mapping[str, Any], key: str, deadline: float) -> Answer:
        """Asks for a change of an order, and takes an answer that makes no sense for no answer."""
        url = f"{self.partners.orders_url(args['partner'])}/{segment(args['partner_order'])}/{what}"
        answer = self.partners.send(args["partner"], Ask("POST", url, deadline, key=key, body=body))
        self.understood(schemas.OrderAnswer, answer.body, OutcomeUnknown)
        return answer
