"""Starts and stops the simulators: as a process of their own (`serve`), or inside a test (`running_simulators`)."""

from __future__ import annotations

import ipaddress
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.addresses import SimulatorAddresses
from adapters.sim.aaa import AaaSimulator
from adapters.sim.crm import CrmSimulator
from adapters.sim.http import SimulatorHttpServer
from adapters.sim.ims import ImsSimulator
from adapters.sim.olt import OltSimulator
from adapters.sim.partner import PartnerSimulator
from adapters.sim.radius import SimulatorRadiusServer
from adapters.sim.router import RouterSimulator
from adapters.sim.state import Simulator
from engine.config import Settings
from engine.errors import SettingError

TICK_S = 0.5
"""How often partners look whether something is due."""
DEMO_SECRET = "kaitong-demo"  # noqa: S105 - the documented default of KAITONG_AAA_SECRET


@dataclass(frozen=True, slots=True)
class RunningSimulators:
    """Simulators in this process: each switches faults and tells effects without any network."""

    addresses: SimulatorAddresses
    aaa: AaaSimulator
    crm: CrmSimulator
    olt: OltSimulator
    router: RouterSimulator
    ims: ImsSimulator
    partner: PartnerSimulator

    @classmethod
    def open(cls, data_dir: Path, addresses: SimulatorAddresses) -> RunningSimulators:
        """Those of a folder."""
        return cls(
            addresses,
            AaaSimulator(data_dir / "aaa.db"),
            CrmSimulator(data_dir / "crm.db"),
            OltSimulator(data_dir / "olt.db"),
            RouterSimulator(data_dir / "router.db"),
            ImsSimulator(data_dir / "ims.db"),
            PartnerSimulator(data_dir / "partner.db"),
        )

    def by_name(self) -> dict[str, Simulator]:
        """All of them."""
        return {s.name: s for s in (self.aaa, self.crm, self.olt, self.router, self.ims, self.partner)}

    @property
    def http_url(self) -> str:
        """Base address of everything that speaks HTTP."""
        return self.addresses.http_url

    @property
    def aaa_url(self) -> str:
        """What KAITONG_AAA_URL should be."""
        return self.addresses.aaa_url

    @property
    def crm_url(self) -> str:
        """What KAITONG_CRM_URL should be."""
        return self.addresses.crm_url

    @property
    def radius(self) -> str:
        """What KAITONG_AAA_RADIUS should be."""
        return self.addresses.radius

    def applied_to(self, settings: Settings) -> Settings:
        """The settings with every empty address pointing here."""
        return self.addresses.applied_to(settings)


def serve(
    data_dir: Path,
    host: str,
    http_port: int,
    radius_port: int,
    secret: str,
    ready: Callable[[RunningSimulators], None] | None = None,
) -> None:
    """Runs until SIGTERM or Ctrl-C, in the main thread. Port 0 takes a free one.

    `ready` is called, and DIR/simulators.json written, when everything answers.
    """
    ends = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # kept for sigwait, also when they come too early
    try:
        with running_simulators(data_dir, host, http_port, radius_port, secret, poll_s=0.5) as simulators:
            if ready is not None:
                ready(simulators)
            while signal.sigtimedwait(ends, TICK_S) is None:
                simulators.partner.tick()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def running_simulators(
    data_dir: Path,
    host: str = "127.0.0.1",
    http_port: int = 0,
    radius_port: int = 0,
    secret: str = DEMO_SECRET,
    poll_s: float = 0.02,
) -> Iterator[RunningSimulators]:
    """Simulators in threads of this process, with their files in `data_dir`; at the end every thread is gone."""
    _check_loopback(host)
    data_dir.mkdir(parents=True, exist_ok=True)
    running = RunningSimulators.open(data_dir, SimulatorAddresses("", ""))
    try:
        with (
            SimulatorHttpServer((host, http_port), running.by_name()) as http,
            SimulatorRadiusServer((host, radius_port), running.aaa, secret.encode()) as radius,
        ):
            addresses = SimulatorAddresses(
                f"http://{host}:{http.server_address[1]}", f"{host}:{radius.server_address[1]}"
            )
            addresses.save(data_dir)
            threads = [
                threading.Thread(target=server.serve_forever, args=(poll_s,), name=name)
                for name, server in (("simulator-http", http), ("simulator-radius", radius))
            ]
            for thread in threads:
                thread.start()
            try:
                yield replace(running, addresses=addresses)
            finally:
                http.stop()
                radius.stop()
                for thread in threads:
                    thread.join()
    finally:
        for simulator in running.by_name().values():
            simulator.close()


def _check_loopback(host: str) -> None:
    """The simulators do whatever they are told, so they must not be reachable from outside."""
    try:
        loopback = host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SettingError(name="simulators", detail=f"{host} is not a loopback address such as 127.0.0.1")
