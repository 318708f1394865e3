"""Tickets to partners (故障转合作方): the fault is in their network. They speak TMF621 v4; our number is the externalId."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from marshmallow import EXCLUDE, Schema, fields, validate

from adapters.json_http import Ask, segment
from adapters.operation import Args, Look, OutsideOperation
from adapters.partners.wire import Partners, target
from engine.errors import NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.ports import Call, Observed, Operation, Plan, Repeat, Result, Undo

REFUSED, UNKNOWN = "PARTNER_REFUSED", "TICKET_UNKNOWN"
STATUSES = (
    *("acknowledged", "rejected", "pending", "held"),
    *("inProgress", "cancelled", "closed", "resolved"),
)
OVER = ("cancelled", "rejected", "closed", "resolved")


class TicketRequest(Schema):
    """Our number of the ticket, at which partner."""

    partner = fields.String(required=True, validate=validate.Regexp(r"[A-Z0-9][A-Z0-9_-]{0,63}\Z"))
    ticket = fields.String(required=True, validate=validate.Regexp(r"\w[^\x00-\x1f\x7f/]{0,63}\Z"))


class CreateRequest(TicketRequest):
    """`partner.ticket.create` takes this. `line`: as the partner calls it, or the order that built it there."""

    line = fields.String(required=True, validate=validate.Length(min=1, max=100))
    description = fields.String(required=True, validate=validate.Length(min=1, max=2000))
    severity = fields.String(load_default="major", validate=validate.Length(min=1, max=64))


class TicketResponse(Schema):
    """What the partner calls it, and how far it is there."""

    partner_number = fields.String(required=True)
    status = fields.String(required=True)


class TicketAnswer(Schema):
    """A ticket as a partner gives it."""

    class Meta:
        unknown = EXCLUDE

    id = fields.String(required=True, validate=validate.Length(min=1, max=64))
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    description = fields.String(required=True)


class TicketsAnswer(Schema):
    """The answer to a search; our client puts a list into `items`."""

    items = fields.List(fields.Nested(TicketAnswer), required=True)


class TicketOperation(OutsideOperation):
    """An operation on one ticket at one partner."""

    def __init__(self, partners: Partners) -> None:
        self.partners = partners

    def target_of(self, args: Args) -> str:
        """The partner that is meant."""
        return target(args.get("partner"))

    def url(self, args: Args) -> str:
        """Where its tickets are."""
        return (
            f"{self.partners.addresses.partner_url(args['partner'])}/tmf-api/troubleTicket/v4/troubleTicket"
        )

    def read(self, args: Args, deadline: float) -> Args | None:
        """The ticket as the partner has it; None when it has never got it."""
        url = f"{self.url(args)}?{urlencode({'externalId': args['ticket']})}"
        answer = self.partners.send(args["partner"], Ask("GET", url, deadline, takes_list=True))
        found = self.understood(TicketsAnswer, answer.body, Retryable)["items"]
        if len(found) > 1:
            raise NeedsHuman(target=self.target_of(args), detail=f"it has {args['ticket']} more than once")
        return found[0] if found else None


class CreateTicket(TicketOperation):
    """Reports a fault to a partner. Our number of it is the key by which the partner can be asked."""

    def __init__(self, partners: Partners) -> None:
        super().__init__(partners)
        self.operation = Operation(
            name="partner.ticket.create",
            title_zh="故障转合作方",
            title_en="Report a fault to a partner",
            request=CreateRequest,
            response=TicketResponse,
            repeat=Repeat.BY_KEY,
            undo=Undo.INVERSE,
            timeout_s=partners.timeout_s,
            errors={REFUSED: "合作方拒收 / the partner refuses"},
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Whether the partner has it already."""
        found = self.read(args, deadline)
        return Plan(
            steps=(f"POST troubleTicket {args['ticket']} to {args['partner']}",),
            before={"status": None if found is None else found["status"]},
            after={"ticket": args["ticket"]},
            undo={"cancel": args["ticket"]},
            already=found is not None and found["description"] == args["description"],
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Sends it, then looks."""
        body = {
            "externalId": args["ticket"],
            "ticketType": "fault",
            "severity": args["severity"],
            "description": args["description"],
            "relatedEntity": [{"id": args["line"], "role": "line", "@referredType": "Service"}],
            "@type": "TroubleTicket",
        }
        answer = self.partners.send(
            args["partner"], Ask("POST", self.url(args), deadline, key=call.key, body=body)
        )
        self.understood(TicketAnswer, answer.body, OutcomeUnknown)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when the partner has this report."""
        found = self.read(args, deadline)
        if found is None:
            return Observed.ABSENT, {}
        if found["description"] != args["description"]:
            return Observed.DIFFERENT, {}
        return Observed.EQUAL, {"partner_number": found["id"], "status": found["status"]}

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Withdraws it, unless it is over there."""
        found = self.read(args, deadline)
        if found is None or found["status"] in OVER:
            return Result("already", {})
        url = f"{self.url(args)}/{segment(found['id'])}"
        wish = {"status": "cancelled", "statusChangeReason": "withdrawn"}
        self.partners.send(args["partner"], Ask("PATCH", url, deadline, key=call.key + ":undo", body=wish))
        return Result("done", {})


class TicketState(Look, TicketOperation):
    """How far a ticket is at the partner. Changes nothing."""

    def __init__(self, partners: Partners) -> None:
        super().__init__(partners)
        self.operation = Operation(
            name="partner.ticket.state",
            title_zh="查询合作方故障单",
            title_en="Ask for a ticket's status at a partner",
            request=TicketRequest,
            response=TicketResponse,
            repeat=Repeat.NATIVE,
            timeout_s=partners.timeout_s,
            errors={UNKNOWN: "合作方没有此单 / the partner has never got this ticket"},
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Nothing will change."""
        return Plan(steps=(f"GET troubleTicket {args['ticket']} at {args['partner']}",), before={}, after={})

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Looks. Raises `Permanent` with TICKET_UNKNOWN."""
        found = self.read(args, deadline)
        if found is None:
            detail = f"it has never got {args['ticket']}"
            raise Permanent(UNKNOWN, target=self.target_of(args), detail=detail)
        return Result("done", {"partner_number": found["id"], "status": found["status"]})
