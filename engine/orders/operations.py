"""The local operation by which a process answers the wish to cancel its order that it has heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.events import record
from engine.orders.callbacks import tell_of_order
from engine.orders.cancel import grant, refuse
from engine.orders.model import CancelRequest, OrderItem, ServiceOrder
from engine.orders.queries import add_note
from engine.orders.states import OrderStates
from engine.ports import LocalCall, LocalOperation, Operation, OrderListener, Repeat

REFUSED = "The cancellation was not approved."
NOT_AMENDED = "改单未批准 / The amendment was not approved."


class AnswerRequest(Schema):
    """Whether the order is cancelled, and if not why."""

    granted = fields.Boolean(required=True)
    message = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class AnswerResponse(Schema):
    """The answer that was given."""

    granted = fields.Boolean(required=True)


class AnswerCancel:
    """Grants the open wish: from now on everything is taken back. Or refuses it: the order goes on as before."""

    operation = Operation(
        "order.cancel.answer",
        "答复撤单",
        "Answer a cancellation",
        AnswerRequest,
        AnswerResponse,
        Repeat.NATIVE,
    )
    reads_only = False

    def __init__(self, states: OrderStates) -> None:
        self._states = states

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat finds no open wish, and changes nothing."""
        granted = call.args["granted"]
        order = _order(session, call.instance_id)
        request = _open_wish(session, order)
        if order is None or request is None or order.state != "assessingCancellation":
            if order is not None and not granted:
                _keep_as_it_was(session, order, call)
            return {"granted": granted}
        facts = {"cancel": request.id, "granted": granted}
        record(session, "CancelAnswered", at=call.now, actor="system", business_key=order.id, **facts)
        if granted:
            grant(session, order, self._states, at=call.now, actor="system")
        else:
            why = call.args["message"] or REFUSED
            refuse(session, order, request, self._states, why, at=call.now, actor="system")
        session.flush()
        return {"granted": granted}


def _order(session: Session, instance_id: int) -> ServiceOrder | None:
    query = select(ServiceOrder).join(OrderItem).where(OrderItem.instance_id == instance_id)
    return session.scalars(query.with_for_update(of=ServiceOrder)).first()


def _keep_as_it_was(session: Session, order: ServiceOrder, call: LocalCall) -> None:
    """Not a cancellation was asked for but an amendment, which would have had to undo too much: the item goes on."""
    query = select(OrderItem).where(OrderItem.instance_id == call.instance_id)
    item = session.scalars(query).first()
    if item is None or item.redo is None:
        return
    kept, item.redo = item.redo["kept"], None
    order.area, order.address, order.product = kept["area"], kept["address"], kept["product"]
    order.document = kept["document"]
    why = call.args["message"]
    text = f"{NOT_AMENDED} {why or ''}".strip()
    add_note(session, order, text, at=call.now, actor="system")
    tell_of_order(
        session, order, "ServiceOrderAttributeValueChangeEvent", call.now, field_path="serviceOrderItem"
    )
    record(
        session,
        "AmendmentRefused",
        at=call.now,
        actor="system",
        business_key=order.id,
        instance_id=call.instance_id,
        item=item.item_id,
        message=why,
    )
    session.flush()


def _open_wish(session: Session, order: ServiceOrder | None) -> CancelRequest | None:
    if order is None:
        return None
    query = select(CancelRequest).where(CancelRequest.order_id == order.id, CancelRequest.ended_at.is_(None))
    return session.scalars(query).first()


def operations(listeners: Sequence[OrderListener]) -> dict[str, LocalOperation]:
    """All of them by name; `listeners` hear of the order's end."""
    answer = AnswerCancel(OrderStates(listeners))
    return {answer.operation.name: answer}
