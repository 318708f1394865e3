"""hub: who wants to be told of his orders."""

from __future__ import annotations

from typing import Any

from flask import g
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from adapters.crm.callback import CallbackSender
from engine.orders.callbacks import ORDERS, BadCallback, subscribe, unsubscribe
from web.api.reading import json_object
from web.api.tmf641.blueprint import blueprint, created
from web.api.tmf641.paths import load
from web.api.tmf641.resources import BASE
from web.api.tmf641.schemas import HUB
from web.auth import allow
from web.services import services


@blueprint.post("/hub")
@allow("hub_subscribe")
def register() -> ResponseReturnValue:
    """A listener for events of the caller's own orders."""
    return listen(ORDERS, BASE)


def listen(api: str, base: str) -> ResponseReturnValue:
    """Takes the listener of one interface on."""
    me = services()
    wish = load(HUB, json_object())
    if not CallbackSender(me.settings).allowed(wish["callback"]):
        raise BadCallback(
            field="callback",
            detail=gettext("no calls are made to this address (setting KAITONG_CALLBACK_HOSTS)"),
        )
    hosts = [host.strip().lower() for host in me.settings.callback_hosts.split(",")]
    with me.store.write() as session:
        made = subscribe(
            session,
            wish["callback"],
            wish.get("query") or None,
            owner=g.actor.login,
            hosts=hosts,
            at=me.clock.now(),
            api=api,
        )
        found: dict[str, Any] = {"id": made.id, "callback": made.callback, "query": made.query}
    return created({k: v for k, v in found.items() if v is not None} | {"href": f"{base}/hub/{made.id}"})


@blueprint.delete("/hub/<subscription_id>")
@allow("hub_subscribe")
def unregister(subscription_id: str) -> ResponseReturnValue:
    """Ends the caller's own listener."""
    with services().store.write() as session:
        unsubscribe(session, subscription_id, g.actor.login)
    return "", 204
