"""A thing of a line that was found faulty: it is marked, and the line gets the next one of the same place."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.events import record
from engine.ports import LocalCall
from engine.resources import holdings
from engine.resources.holdings import Wish


def replace_faulty(
    session: Session, event: str, call: LocalCall, old: Any, wish: Wish, place_is: str, thing: str
) -> Any:
    """The new one, in the state of the old one. `event` tells of the faulty one, under the names of its place and thing.

    Raises `Permanent` R04 where the place has no other free; that the old one is faulty stays.
    """
    told = {place_is: old.place, thing: old.name, "reason": call.args["reason"]}
    record(
        session,
        event,
        at=call.now,
        actor="system",
        business_key=wish.holder,
        instance_id=call.instance_id,
        **told,
    )
    holdings.move(session, old, "faulty", None, None, call.now)
    new = holdings.pick(session, old.kind, old.place)
    if new is None or not holdings.move(session, new, old.state, wish, old.held_until, call.now):
        detail = f"{old.place} has no free {thing} beside the faulty {old.name}"
        raise Permanent("R04", keeps=True, target="resources", detail=detail)
    return new
