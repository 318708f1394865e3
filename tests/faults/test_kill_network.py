"""SIGKILL between an effect at an OLT and its answer, again and again; the effects are counted at the OLT."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from adapters.sim.server import running_simulators

ROOT = Path(__file__).parents[2]
ORDERS, KILLS = 5, 3
WORK = """\
import sys
from pathlib import Path
import engine.deploy.model, engine.runtime.model
from adapters.network import OltAdapter
from engine.clock import SystemClock
from engine.config import Settings
from engine.errors import OutcomeUnknown, Retryable
from engine.jobs.ledger import Ledger, Place
from engine.ports import Call
from engine.store import Store

url, folder, orders = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
ledger, adapter = Ledger(Store(url), SystemClock()), OltAdapter(Settings(data_dir=folder, adapter_timeout_seconds=60))
for k in range(orders):
    args = {"node": "OLT-E01", "port": f"1/3/{k}", "onu_serial": f"YTGP{k:08d}", "vlan": 1200 + k, "speed_mbps": 1000}
    call = Call("olt.onu.bind", f"BB-20261122-{k:06d}:BB_12:1", args)
    while True:
        try:
            ledger.perform(adapter, call, Place(None, None), lambda session: None)
            break
        except (OutcomeUnknown, Retryable):
            continue
"""


def test_an_onu_is_bound_once_although_its_worker_is_killed_before_the_answer(
    database_url: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", WORK, database_url, str(tmp_path), str(ORDERS)]
    with running_simulators(tmp_path) as simulators:
        for _ in range(KILLS):
            before = len(simulators.olt.effects())
            simulators.olt.fault("delay", seconds=60, operation="olt.onu.bind")
            with subprocess.Popen(command, cwd=ROOT) as worker:
                _wait(worker, lambda seen=before: len(simulators.olt.effects()) > seen)
                worker.send_signal(signal.SIGKILL)
        assert subprocess.run(command, cwd=ROOT, timeout=120, check=False).returncode == 0
        effects = Counter(e["key"] for e in simulators.olt.effects())
        bound = simulators.olt.state()["onus"]

    assert effects == {f"BB-20261122-{k:06d}:BB_12:1": 1 for k in range(ORDERS)}
    assert sorted(o["onu_id"] for o in bound) == list(range(1, ORDERS + 1))


def _wait(worker: subprocess.Popen[bytes], done: Callable[[], bool]) -> None:
    for _ in range(3000):
        if done():
            return
        assert worker.poll() is None, "the worker ended by itself"
        threading.Event().wait(0.02)
    raise AssertionError("nothing happened at the OLT")
