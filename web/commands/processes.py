"""serve, web, worker, ticker, simulators, migrate: the processes of an installation."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.clock import SystemClock
from engine.config import PREFIX, Settings
from engine.identity.first import has_people, is_new
from engine.identity.people import create_person
from engine.jobs import queue
from engine.store import Store, migrate
from web import demo_data
from web.master_data import load_base
from web.orphans import end_with_parent
from web.playing import play, the_script
from web.request_log import configure_logging
from web.services import Services

if TYPE_CHECKING:
    from adapters.sim.server import RunningSimulators

PARTNER_PACE_S = 20.0
"""How long simulated partners take for a step, until somebody tells them otherwise."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parsers of these commands."""
    serve = commands.add_parser("serve", help="start the whole system: web, worker, ticker, simulators")
    serve.add_argument("--port", type=int, help="port of the web server (KAITONG_PORT)")
    serve.add_argument("--data", type=Path, help="data folder (KAITONG_DATA_DIR)")
    serve.add_argument(
        "--no-demo", action="store_true", help="begin without the demo operator and its simulators"
    )
    serve.add_argument(
        "--orders",
        type=int,
        help="about how many orders a new demo operator begins with (KAITONG_DEMO_ORDERS)",
    )
    serve.set_defaults(run=run_serve)
    for name, text, run in (
        ("web", "the web server alone", run_web),
        ("worker", "one worker alone", run_worker),
        ("ticker", "the ticker alone", run_ticker),
        ("simulators", "the simulated network and CRM alone", run_simulators),
        ("migrate", "bring the database to this version", run_migrate),
    ):
        commands.add_parser(name, help=text).set_defaults(run=run)


def run_serve(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """The supervisor; also prepares a new data folder."""
    from web.supervisor import Supervisor, lock_data, refuse_used_port

    given = {"port": arguments.port, "data_dir": arguments.data, "demo_orders": arguments.orders}
    if arguments.no_demo and PREFIX + "SIMULATORS" not in environment:
        given["simulators"] = False
    settings = Settings.load(environment, **given)
    os.umask(0o077)  # customers' data: for the owner alone
    lock = lock_data(settings.data_dir)
    refuse_used_port(settings.host, settings.port)
    prepare(settings, demo=not arguments.no_demo)
    supervisor = Supervisor(settings, _for_children(settings, environment), lock)
    if settings.simulators:
        supervisor.add("simulators", "simulators")
    supervisor.add("worker", "worker")
    supervisor.add("ticker", "ticker")
    supervisor.add("web", "web")
    supervisor.run()
    return 0


def _for_children(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    mine = {
        "DATA_DIR": str(settings.data_dir.resolve()),
        "PORT": str(settings.port),
        "SIMULATORS": "1" if settings.simulators else "0",
    }
    return dict(environment) | {PREFIX + k: v for k, v in mine.items()}


def prepare(settings: Settings, demo: bool) -> None:
    """Migrates, and fills a new database. Leases of before are void: this process is the only one at work here."""
    from web.bootstrap import assemble

    services = assemble(settings)
    try:
        migrate.upgrade(services.store)
        if services.store.is_sqlite:
            with services.store.write() as session:
                queue.release_all(session)
        with services.store.read() as session:
            new = is_new(session)
        if new and demo:
            _begin_demo(services)
        else:
            with services.store.write() as session:
                if new:
                    demo_data.seed_base(session, services, services.clock.now())
                else:
                    load_base(session, services.clock.now())  # what a newer version brings
        if not demo:
            _first_administrator(services)
        elif (settings.data_dir / "demo-logins.json").exists():
            _show_logins(settings)
    finally:
        services.registry.close()
        services.store.close()


def _begin_demo(services: Services) -> None:
    """The demo operator, and what it has done in the last days."""
    settings, now = services.settings, services.clock.now()
    script = the_script(settings.demo_orders) if settings.demo_orders > 0 and settings.simulators else None
    _seed_demo(services, now if script is None else now - script.length)
    if script is not None:
        print(f"the last days of the demo operator: {len(script.wishes)} orders", flush=True)
        play(settings, script, now, _tell_hours)


def _tell_hours(played: int, hours: int) -> None:
    if played % 8 == 0:
        print(f"  {played} of {hours} h", flush=True)


def _seed_demo(services: Services, at: datetime) -> None:
    with services.store.write() as session:
        logins = demo_data.seed(session, services, at)
        path = services.settings.data_dir / "demo-logins.json"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"logins": [asdict(x) for x in logins]}, file, ensure_ascii=False, indent=2)


def _show_logins(settings: Settings) -> None:
    path = settings.data_dir / "demo-logins.json"
    logins = json.loads(path.read_text(encoding="utf-8"))["logins"]
    print(f"demo logins (also in {path}):")
    for login in logins:
        print(f"  {login['login']:<12} {login['password']}   {'/'.join(login['roles'])} {login['name']}")


def _first_administrator(services: Services) -> None:
    with services.store.read() as session:
        if has_people(session):
            return
    if not sys.stdin.isatty():
        print("Nobody can log in yet. Create the first administrator: kaitong user add LOGIN --role AD")
        return
    print("The first administrator:")
    login = input("  login: ").strip()
    name = input("  name: ").strip() or login
    password = getpass.getpass("  password (12 characters or more): ")
    with services.store.write() as session:
        at = services.clock.now()
        create_person(session, login=login, name=name, roles=["AD"], password=password, at=at)


def run_web(_arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """The web server; granian's own worker process loads `web.wsgi:application`."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    settings = Settings.load(environment)
    end_with_parent()
    server = Granian(
        "web.wsgi:application",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        blocking_threads=settings.web_threads,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
        websockets=False,
    )
    server.serve()
    return 0


def run_worker(_arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """One worker; SIGTERM lets it finish what it has in hand."""
    from web.bootstrap import worker

    services, stop = _process(environment)
    worker(services).run(stop)
    return 0


def run_ticker(_arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """The ticker."""
    from web.bootstrap import ticker

    services, stop = _process(environment)
    ticker(services).run(stop)
    return 0


def _process(environment: Mapping[str, str]) -> tuple[Services, threading.Event]:
    from web.bootstrap import assemble

    end_with_parent()
    configure_logging(sys.stdout)
    services = assemble(Settings.load(environment))
    migrate.check(services.store)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the supervisor, which stops us in order
    return services, stop


def run_simulators(_arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """The simulators, each with its own file under DIR/simulators."""
    from adapters.sim.server import serve

    settings = Settings.load(environment)
    end_with_parent()
    folder = settings.data_dir / "simulators"
    folder.mkdir(parents=True, exist_ok=True)

    def ready(simulators: RunningSimulators) -> None:
        simulators.addresses.save(settings.data_dir)
        at = SystemClock().now()
        with Store(settings.database).write() as session:
            demo_data.subscribe_crm(session, simulators.crm_url, at)
            tokens = demo_data.partner_tokens(session, at)
        inbound = f"http://127.0.0.1:{settings.port}/api/v1/partners/{{partner}}/messages"
        simulators.partner.listen(inbound, tokens)
        simulators.partner.begin(PARTNER_PACE_S)

    serve(folder, "127.0.0.1", 0, 0, settings.aaa_secret, ready)
    return 0


def run_migrate(_arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Brings the database to this version: its tables, and the master data that every site has."""
    settings = Settings.load(environment)
    os.umask(0o077)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.database)
    migrate.upgrade(store)
    with store.write() as session:
        load_base(session, SystemClock().now())
    store.close()
    print("the database is up to date")
    return 0
