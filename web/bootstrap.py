"""The composition root: the only place that names concrete classes together. Each process of ours begins here."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from adapters.crm.callback import CallbackSender
from adapters.registry import Registry
from bpmn.lint import Catalogue
from engine.clock import Clock, SystemClock
from engine.config import Settings
from engine.deploy.definitions import Definitions
from engine.identity import telling
from engine.identity.people import role_names
from engine.jobs import heartbeat
from engine.jobs.local import Noop
from engine.jobs.worker import Handler, Worker
from engine.lines import operations as lines
from engine.orders import jeopardy, restarting, urging
from engine.orders import operations as orders
from engine.orders.following import OrderIntake, PlaceFollowing
from engine.orders.states import OrderStates
from engine.partners import comparison
from engine.partners import operations as partners
from engine.partners.following import PartnerCalls
from engine.ports import LocalOperation
from engine.resources import expiry
from engine.resources import operations as resources
from engine.runtime.kernel import Kernel
from engine.runtime.routing import Router
from engine.runtime.starting import StartProcess
from engine.store import Store
from engine.tickets import alarms
from engine.tickets import operations as tickets
from engine.tickets.linked import OpenLinked
from engine.tickets.states import TicketStates
from sla.clocks import Clocks
from sla.sweep import Sweep
from sla.ticker import Batches, Ticker, TickJob, batch_job, sweep_job
from tasks.desk import Desk
from tasks.field import operations as dispatching
from tasks.following import Worklist
from tasks.service.comparing import CompareJob
from tasks.service.runner import ServiceRunner
from tasks.service.undo import UNDO
from tasks.worklist import Holders
from web.api.callback_job import CallbackJob
from web.app import create_app
from web.blueprints import BLUEPRINTS
from web.services import Services

COMPARE_SECONDS = 300.0
"""How often the ticker looks whether a partner has been asked today."""


def local_operations(
    starter: StartProcess | None = None,
    linked: OpenLinked | None = None,
    placer: PlaceFollowing | None = None,
) -> dict[str, LocalOperation]:
    """Operations whose effect is rows of our own, by name."""
    others: list[LocalOperation] = [Noop(), starter or StartProcess(), placer or PlaceFollowing()]
    named = {other.operation.name: other for other in others}
    ours = (resources, lines, partners, dispatching, telling)
    found = {name: o for package in ours for name, o in package.operations().items()}
    found |= tickets.operations(linked or OpenLinked(ZoneInfo("UTC")))
    return found | orders.operations([Clocks()]) | named


def catalogue(registry: Registry, roles: frozenset[str]) -> Catalogue:
    """What a diagram may name: operations of adapters and our own, and roles."""
    known = {name: frozenset(operation.errors) for name, operation in registry.operations().items()}
    local = {name: frozenset(o.operation.errors) for name, o in local_operations().items()}
    return Catalogue(known | local | {UNDO: frozenset()}, roles)


def assemble(settings: Settings, store: Store | None = None, clock: Clock | None = None) -> Services:
    """Everything that a process of ours needs. The caller closes the store and the registry."""
    registry = Registry.from_settings(settings)
    definitions = Definitions(lambda session: catalogue(registry, frozenset(role_names(session))))
    clocks = Clocks()
    states = OrderStates([clocks])
    # in this order: the clocks say when a task is due, the worklist writes it down, the order follows
    starter, linked, placer = StartProcess(), OpenLinked(settings.zone), PlaceFollowing()
    local = local_operations(starter, linked, placer)
    kernel = Kernel(definitions, [clocks, Worklist(), states, TicketStates()], local)
    starter.kernel, linked.kernel, linked.listeners = kernel, kernel, [clocks]
    placer.intake = OrderIntake(kernel, [clocks], settings.zone)
    return Services(
        settings=settings,
        store=store or Store(settings.database),
        clock=clock or SystemClock(),
        kernel=kernel,
        registry=registry,
        definitions=definitions,
        states=states,
        order_listeners=[clocks],
        desk=Desk(),
    )


def web_app(services: Services) -> Flask:
    """The WSGI application."""
    return create_app(services, BLUEPRINTS)


def worker(services: Services) -> Worker:
    """A worker with the handlers of all kinds of jobs."""
    made: list[Worker] = []
    runner = ServiceRunner(
        services.store,
        services.clock,
        services.kernel,
        services.registry,
        lambda: made[0].fail,
        [PartnerCalls()],
    )
    callbacks = CallbackJob(services.store, services.clock, CallbackSender(services.settings))
    router = Router(services.store, services.clock, services.kernel)
    handlers: dict[str, Handler] = {
        "advance": router.advance,
        "service": runner,
        "callback": callbacks,
        jeopardy.KIND: jeopardy.JeopardyJob(services.store, services.clock),
        restarting.KIND: restarting.RestartJob(services.store, services.clock, services.kernel),
        "message": router.message,
        "signal": router.signal,
        alarms.KIND: alarms.AlarmJob(
            services.store,
            services.clock,
            services.kernel,
            services.order_listeners,
            services.settings.zone,
        ),
        comparison.KIND: CompareJob(services.store, services.clock, services.registry),
    }
    made.append(Worker(services.store, services.clock, services.kernel, handlers, services.settings))
    return made[0]


def ticker(services: Services) -> Ticker:
    """The ticker with everything that happens at intervals."""
    beat = TickJob("ticker.heartbeat", 5.0, lambda: heartbeat.beat(services.store, services.clock, "ticker"))
    sweeps = [sla_sweep(services), urge_sweep(services), expiry_sweep(services)]
    jobs = [*sweeps, partner_comparison(services), beat]
    return Ticker(jobs, services.clock)


def sla_sweep(services: Services) -> TickJob:
    """The tick that fires due warnings."""
    return sweep_job(services.store, Sweep(Holders()), services.clock, services.settings.tick_seconds)


def urge_sweep(services: Services) -> TickJob:
    """The tick that looks again at urges that nobody has answered, and at what was promised."""
    desk = services.desk

    def sweep(session: Any, now: datetime, limit: int) -> int:
        return urging.sweep(session, now, limit, desk)

    batches = Batches("orders.urges", urging.is_due, sweep)
    return batch_job(services.store, batches, services.clock, services.settings.tick_seconds)


def expiry_sweep(services: Services) -> TickJob:
    """The tick that gives back reservations that have run out."""
    batches = Batches("resources.expiry", expiry.is_due, expiry.sweep)
    return batch_job(services.store, batches, services.clock, services.settings.tick_seconds)


def partner_comparison(services: Services) -> TickJob:
    """The tick that has each partner asked once a day for its open orders."""
    zone = services.settings.zone

    def queue_all(session: Any, now: datetime, _limit: int) -> int:
        return comparison.queue_comparisons(session, now, zone)

    batches = Batches(
        "partners.compare", lambda session, now: bool(comparison.due(session, now, zone)), queue_all
    )
    return batch_job(services.store, batches, services.clock, COMPARE_SECONDS)
