"""order and incident: looking and acting from the command line, as the person that `--as` names."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from engine.config import Settings
from engine.errors import NotFound
from engine.identity.actor import SYSTEM, Actor
from engine.identity.people import actor_of, find_person
from engine.jobs.incidents import incidents, retry_incident
from engine.orders.queries import events_of, get_order, orders
from tasks.columns import TASK_COLUMNS
from web.commands.output import add_format, show, table
from web.services import Services


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parsers of these commands."""
    order = commands.add_parser("order", help="service orders").add_subparsers(metavar="WHAT", required=True)
    listed = order.add_parser("list", help="the newest orders")
    listed.add_argument("--state")
    listed.add_argument("--limit", type=int, default=20)
    one = order.add_parser("show", help="one order and what happened to it")
    one.add_argument("order")
    listed.set_defaults(run=run_orders)
    one.set_defaults(run=run_order)
    incident = commands.add_parser("incident", help="incidents").add_subparsers(metavar="WHAT", required=True)
    open_ones = incident.add_parser("list", help="open incidents")
    open_ones.set_defaults(run=run_incidents)
    retry = incident.add_parser("retry", help="re-run the failed step")
    retry.add_argument("incident", type=int)
    retry.set_defaults(run=run_retry)
    for parser in (listed, one, open_ones, retry):
        parser.add_argument("--as", dest="login", help="the login on whose behalf; default: the system")
        add_format(parser)


def run_orders(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Lists orders."""
    services = _services(environment)
    with services.store.read() as session:
        actor = _actor(session, arguments.login)
        found, _ = orders(session, actor, TASK_COLUMNS, state=arguments.state, limit=arguments.limit)
        rows = [
            {
                "id": o.id,
                "external_id": o.external_id,
                "state": o.state,
                "product": o.product,
                "due": o.expected_at,
            }
            for o in found
        ]
    show(arguments, rows, table(rows, ("id", "external_id", "state", "product", "due")))
    return 0


def run_order(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Shows one order with its events."""
    services = _services(environment)
    with services.store.read() as session:
        found = get_order(session, _actor(session, arguments.login), arguments.order, TASK_COLUMNS)
        events = [
            {"at": e.at, "event": e.kind, "element": e.element, "actor": e.actor}
            for e in events_of(session, found)
        ]
        result = {"id": found.id, "state": found.state, "product": found.product, "events": events[::-1]}
    text = f"{result['id']} {result['product']} {result['state']}\n"
    show(arguments, result, text + table(result["events"], ("at", "event", "element", "actor")))  # type: ignore[arg-type]
    return 0


def run_incidents(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Lists open incidents."""
    services = _services(environment)
    with services.store.read() as session:
        found, _ = incidents(session, _actor(session, arguments.login))
        rows = [
            {"id": i.id, "order": i.business_key, "element": i.element, "code": i.code, "message": i.message}
            for i in found
        ]
    show(arguments, rows, table(rows, ("id", "order", "element", "code", "message")))
    return 0


def run_retry(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Queues the step again; a worker does it."""
    services = _services(environment)
    with services.store.write() as session:
        actor = _actor(session, arguments.login)
        incident = retry_incident(
            session, services.kernel, actor, arguments.incident, at=services.clock.now()
        )
        result = {"incident": incident.id, "order": incident.business_key, "state": incident.state}
    show(arguments, result, f"incident {result['incident']} of {result['order']}: queued for re-run")
    return 0


def _services(environment: Mapping[str, str]) -> Services:
    from web.bootstrap import assemble

    return assemble(Settings.load(environment))


def _actor(session: Any, login: str | None) -> Actor:
    if login is None:
        return SYSTEM
    person = find_person(session, login)
    if person is None:
        raise NotFound(what="person", id=login)
    return actor_of(session, person)
