"""Codes in the reader's words: states, types, roles, areas; and customer data for readers who may not see all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask_babel import get_locale, gettext, pgettext

from web.api import masking

Pair = tuple[str, str]


def in_english() -> bool:
    """Whether the reader reads English; everybody else gets Chinese."""
    locale = get_locale()
    return locale is not None and locale.language == "en"


def say(zh: str, en: str) -> str:
    """The member of a pair that the reader understands."""
    return (en or zh) if in_english() else zh


def named(names: Mapping[str, Pair], code: str | None) -> str:
    """The name of a code, or the code itself where it has none."""
    if code is None:
        return ""
    return say(*names[code]) if code in names else code


def order_states() -> dict[str, str]:
    """States of orders and items, in the order of an order's life."""
    return {
        "acknowledged": gettext("acknowledged"),
        "inProgress": gettext("in progress"),
        "pending": gettext("pending"),
        "held": gettext("held up"),
        "assessingCancellation": gettext("cancellation asked for"),
        "pendingCancellation": gettext("being cancelled"),
        "cancelled": pgettext("order", "cancelled"),
        "completed": pgettext("order", "completed"),
        "failed": gettext("returned"),
        "partial": gettext("partly completed"),
        "rejected": gettext("rejected"),
    }


def order_state(state: str) -> str:
    return order_states().get(state, state)


def refusal(code: str) -> str:
    """Why an order was returned, for the codes of the shipped diagrams; empty for others, whose code has to speak."""
    names = {
        "R04": gettext("No network resource: no coverage, or no free port."),
        "R05": gettext("The line cannot be built."),
    }
    return names.get(code, "")


def order_type(code: str) -> str:
    names = {
        "BB": gettext("New broadband"),
        "MV": gettext("Relocation"),
        "CH": gettext("Change"),
        "TM": gettext("Termination"),
        "DL": gettext("Dedicated line"),
        "TT": gettext("Fault report"),
    }
    return names.get(code, code)


def item_action(action: str) -> str:
    names = {
        "add": gettext("add"),
        "modify": gettext("modify"),
        "delete": gettext("delete"),
        "noChange": gettext("no change"),
    }
    return names.get(action, action)


def step_state(state: str) -> str:
    names = {
        "done": gettext("done"),
        "current": gettext("current"),
        "failed": gettext("failed"),
        "open": gettext("not yet"),
    }
    return names[state]


def job_state(state: str) -> str:
    """How a step that was re-run stands."""
    names = {
        "ready": gettext("queued for re-run"),
        "running": gettext("running again"),
        "done": gettext("done: the order goes on"),
        "incident": gettext("failed again"),
        "cancelled": gettext("no longer needed: the order has moved on"),
    }
    return names.get(state, state)


def milestone(code: str) -> str:
    names = {
        "accepted": gettext("accepted"),
        "resourceReserved": gettext("port reserved"),
        "onSite": gettext("on site"),
        "activated": gettext("activated"),
        "tested": gettext("tested"),
        "diagnosed": gettext("diagnosed"),
        "answered": gettext("answered"),
        "dispatched": gettext("dispatched"),
        "confirmed": gettext("confirmed by the customer"),
        "closed": gettext("closed out"),
        "restored": gettext("line restored"),
        "reopened": gettext("not restored after all"),
        "appointed": gettext("window agreed"),
        "civilWorkDrawn": gettext("building work drawn"),
        "civilWorkDone": gettext("building work done"),
        "customerAccepted": gettext("accepted by the customer"),
        "designed": gettext("route designed"),
        "partnerAccepted": gettext("taken by the partner"),
        "partnerDone": gettext("built by the partner"),
        "rentStarted": gettext("rent started"),
        "routeUp": gettext("optical route up"),
    }
    return names.get(code, code)


def tier(code: str | None) -> str:
    """Only what is out of the ordinary is said."""
    return "" if code in (None, "", "normal") else str(code)


def order_fact(name: str) -> str:
    """What an amendment changes."""
    names = {
        "customer": gettext("Customer"),
        "phone": gettext("Phone"),
        "wished_window": gettext("Wished window"),
        "address": gettext("Address"),
        "building": gettext("Building"),
        "area": gettext("Area"),
        "product": gettext("Product"),
    }
    return names.get(name, name)


def actor(login: str | None, people: Mapping[str, str]) -> str:
    """Who did something: a person's name, or the part of the system that did it."""
    machines = {
        "system": gettext("System"),
        "timer": gettext("Timer"),
        "sla": gettext("Time limits"),
        "urging": gettext("Time limits"),
    }
    return people.get(login or "") or machines.get(login or "", login or "")


# ---- customer data


def sees_customers() -> bool:
    """Whether the reader may see names, numbers and addresses of customers in full."""
    can: bool = g.actor.can("see_customer_data")
    return can


def customer(name: str | None) -> str:
    return masking.customer(name, g.actor) or ""


def phone(number: str | None) -> str:
    return masking.phone(number, g.actor) or ""


def address(text: str | None) -> str:
    return masking.address(text, g.actor) or ""


def variable(name: str, value: Any) -> str:
    """A variable as text; those that hold customer data like the columns they came from."""
    shown = {"phone": phone, "customer": customer, "address": address, "building": address}.get(name)
    if shown is not None and isinstance(value, str):
        return shown(value)
    return str(value)
