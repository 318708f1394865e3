"""The worker's part of call-backs: one event to one listener, in order, with patience for a CRM that is away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from engine.clock import Clock
from engine.errors import AdapterError, Permanent
from engine.events import record
from engine.identity.actor import SYSTEM
from engine.jobs import queue
from engine.jobs.queue import Claim
from engine.orders.callbacks import ORDERS, TICKETS, awaited
from engine.orders.model import ServiceOrder
from engine.orders.queries import get_cancel_request, get_order
from engine.store import Store
from engine.tickets.queries import get_ticket
from tasks.columns import TASK_COLUMNS
from web.api.times import stamp
from web.api.tmf621.resources import ticket_resource
from web.api.tmf641.resources import cancel_resource, order_resource

PATIENCE = timedelta(hours=24)
FIRST_PAUSE = timedelta(seconds=2)
TURN = timedelta(milliseconds=200)
"""How long an event waits at least for the one before it."""
_TITLES = {
    "ServiceOrderCreateEvent": "Service order created",
    "ServiceOrderStateChangeEvent": "Service order changed its state",
    "ServiceOrderAttributeValueChangeEvent": "Service order was changed",
    "ServiceOrderMilestoneEvent": "Service order reached a milestone",
    "ServiceOrderJeopardyEvent": "Service order may miss its date",
    "ServiceOrderInformationRequiredEvent": "Service order waits for information",
    "CancelServiceOrderCreateEvent": "Cancellation of a service order asked for",
    "CancelServiceOrderStateChangeEvent": "Cancellation of a service order changed its state",
    "TroubleTicketCreateEvent": "Trouble ticket created",
    "TroubleTicketStatusChangeEvent": "Trouble ticket changed its status",
    "TroubleTicketAttributeValueChangeEvent": "Trouble ticket was changed",
    "TroubleTicketResolvedEvent": "Trouble ticket is resolved",
    "TroubleTicketInformationRequiredEvent": "Trouble ticket waits for information",
}


class Sender(Protocol):
    """What sends an event, `adapters.crm.callback.CallbackSender`."""

    def send(self, url: str, body: Mapping[str, Any], event_id: str) -> None:
        """Raises an `AdapterError` unless the listener has it."""


class CallbackJob:
    """Handler of the jobs that `engine.orders.callbacks` queues."""

    def __init__(self, store: Store, clock: Clock, sender: Sender) -> None:
        self.store, self.clock, self.sender = store, clock, sender

    def __call__(self, claim: Claim) -> None:
        """Sends outside any transaction, then notes what came of it. An event never overtakes an earlier one."""
        event = claim.payload.get("event") or self._prepared(claim)
        if event is None:
            return
        try:
            self.sender.send(claim.payload["callback"], event, claim.payload["event_id"])
        except AdapterError as e:
            self._failed(claim, e)
            return
        with self.store.write() as session:
            job = queue.held(session, claim)
            if job is not None:
                job.payload = {name: v for name, v in claim.payload.items() if name != "event"}
                queue.finish(job, self.clock.now())

    def _prepared(self, claim: Claim) -> dict[str, Any] | None:
        """The event, written down before it is first sent, so that a repeat is the same; None if it is not its turn."""
        with self.store.write() as session:
            job = queue.held(session, claim)
            if job is None:
                return None
            earlier = awaited(session, claim.payload)
            if earlier is not None:
                due = max(self.clock.now() + TURN, earlier)
                queue.postpone(job, "callback.turn", "An earlier event waits.", due_at=due, counts=False)
                return None
            event = _event(session, claim.payload)
            job.payload = {**claim.payload, "event": event}
            return event

    def _failed(self, claim: Claim, error: AdapterError) -> None:
        """Once more later, with growing pauses; given up after a day, or when the listener says no."""
        now = self.clock.now()
        with self.store.write() as session:
            job = queue.held(session, claim)
            if job is None:
                return
            age = now - job.created_at
            if not isinstance(error, Permanent) and age < PATIENCE:
                pause = min(max(FIRST_PAUSE, age), queue.LONGEST_PAUSE)
                queue.postpone(job, error.code, error.text(), due_at=now + pause, counts=False)
                return
            queue.give_up(job, error.code, error.text())
            record(
                session,
                "CallbackGivenUp",
                at=now,
                actor="system",
                business_key=claim.payload["order"],
                callback=claim.payload["callback"],
                event_type=claim.payload["event_type"],
                code=error.code,
            )


def _event(session: Any, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The event as TM Forum draws it: the whole order, in the state of the event."""
    order = get_order(session, SYSTEM, payload["order"], TASK_COLUMNS)
    happened = stamp(datetime.fromisoformat(payload["at"]))
    field_path = {"fieldPath": payload["field_path"]} if "field_path" in payload else {}
    return {
        "eventId": payload["event_id"],
        "eventTime": happened,
        "eventType": payload["event_type"],
        "timeOcurred": happened,
        "title": _TITLES[payload["event_type"]],
        "domain": TICKETS if "ticket_status" in payload else ORDERS,
        "correlationId": order.external_id or order.id,
        **field_path,
        "event": _about(session, order, payload),
    }


def _about(session: Any, order: ServiceOrder, payload: Mapping[str, Any]) -> dict[str, Any]:
    if "ticket_status" in payload:
        ticket, _ = get_ticket(session, SYSTEM, order.id, TASK_COLUMNS)
        return {"troubleTicket": ticket_resource(ticket, order, SYSTEM, payload["ticket_status"])}
    if "cancel" in payload:
        request = get_cancel_request(session, SYSTEM, payload["cancel"], TASK_COLUMNS)
        return {"cancelServiceOrder": cancel_resource(request, SYSTEM, payload["cancel_state"])}
    return {"serviceOrder": _told(order_resource(order, SYSTEM, payload["state"]), payload)}


def _told(resource: dict[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    """Of milestones and alerts the one that the event is about; GET shows them all."""
    if "milestone" in payload:
        about = (payload["milestone"], stamp(datetime.fromisoformat(payload["at"])))
        reached = [m for m in resource["milestone"] if (m["name"], m["milestoneDate"]) == about]
        return resource | {"milestone": reached}
    if "alert" in payload:
        about_alert = str(payload["alert"])
        return resource | {"jeopardyAlert": [a for a in resource["jeopardyAlert"] if a["id"] == about_alert]}
    return resource
