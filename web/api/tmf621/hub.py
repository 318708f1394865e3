"""hub: who wants to be told of his tickets."""

from __future__ import annotations

from flask import g
from flask.typing import ResponseReturnValue

from engine.orders.callbacks import TICKETS, unsubscribe
from web.api.tmf621.blueprint import blueprint
from web.api.tmf621.resources import BASE
from web.api.tmf641.hub import listen
from web.auth import allow
from web.services import services


@blueprint.post("/hub")
@allow("hub_subscribe")
def register_for_tickets() -> ResponseReturnValue:
    """A listener for events of the caller's own tickets."""
    return listen(TICKETS, BASE)


@blueprint.delete("/hub/<subscription_id>")
@allow("hub_subscribe")
def unregister_for_tickets(subscription_id: str) -> ResponseReturnValue:
    """Ends the caller's own listener."""
    with services().store.write() as session:
        unsubscribe(session, subscription_id, g.actor.login, TICKETS)
    return "", 204
