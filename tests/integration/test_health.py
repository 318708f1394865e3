"""/healthz, /readyz and /metrics: alive, ready, figures; without a login and without a word about customers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.jobs.heartbeat import beat
from engine.store import Store
from tests.machines import Machines, running_machines


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


def _ready(machines: Machines) -> tuple[int, list[str]]:
    answer = machines.ask("GET", "/readyz", None)
    assert answer.json is not None
    return answer.status_code, [reason["code"] for reason in answer.json["reasons"]]


def _beat(machines: Machines, kind: str) -> None:
    beat(machines.site.store, machines.site.clock, kind)


def test_a_process_that_answers_is_alive(machines: Machines) -> None:
    assert machines.get("/healthz", None) == {"status": "ok"}


def test_it_is_ready_when_a_worker_has_been_seen_lately(machines: Machines) -> None:
    assert _ready(machines) == (503, ["worker.missing"])

    _beat(machines, "worker")
    assert _ready(machines) == (200, [])

    machines.site.clock.advance(timedelta(seconds=31))
    assert _ready(machines) == (503, ["worker.silent"])


def test_a_ticker_that_has_fallen_silent_is_told(machines: Machines) -> None:
    _beat(machines, "ticker")
    machines.site.clock.advance(timedelta(seconds=31))
    _beat(machines, "worker")

    assert _ready(machines) == (503, ["ticker.silent"])


def test_a_database_of_another_version_is_not_ready(machines: Machines) -> None:
    _beat(machines, "worker")
    with machines.site.store.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))

    assert _ready(machines) == (503, ["database.newer"])


def test_a_database_that_does_not_answer_is_not_ready_but_the_process_is_alive(machines: Machines) -> None:
    with machines.site.store.write() as db:
        for table in ("heartbeat", "alembic_version"):
            db.execute(text(f"DROP TABLE {table}"))

    status, codes = _ready(machines)

    assert status == 503
    assert codes in (["database.older"], ["database.away"])
    assert machines.get("/healthz", None) == {"status": "ok"}


def test_the_figures_count_work_and_trouble(machines: Machines) -> None:
    machines.place()
    machines.site.work()
    _beat(machines, "worker")
    machines.site.clock.advance(timedelta(seconds=12))

    answer = machines.ask("GET", "/metrics", None)

    assert answer.mimetype == "text/plain"
    lines = answer.text.splitlines()
    assert 'kaitong_orders{state="inProgress"} 1' in lines
    assert 'kaitong_orders{state="completed"} 0' in lines
    assert 'kaitong_jobs{state="incident"} 0' in lines
    assert "kaitong_open_tasks 1" in lines
    assert "kaitong_open_incidents 0" in lines
    assert "kaitong_worker_silent_seconds 12.0" in lines
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {line.split("{")[0].split()[0] for line in lines if line[0] != "#"} == names


def test_neither_tells_anything_about_customers(machines: Machines) -> None:
    machines.deliver()

    told = "".join(machines.ask("GET", path, None).text for path in ("/healthz", "/readyz", "/metrics"))

    assert not [word for word in ("林女士", "13800004021", "汀兰路", "CRM-1") if word in told]
