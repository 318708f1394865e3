"""A CRM that listens to its orders, and a process that has a question for it."""

from __future__ import annotations

from typing import Any

from engine.deploy.definitions import Upload
from tests.machines import HUB, Machines
from tests.small_broadband import SMALL


def listen(machines: Machines, kind: str | None = None) -> None:
    """The simulated CRM registers, for one kind of event or for all."""
    query = {"query": f"eventType={kind}"} if kind else {}
    made = machines.post(HUB, {"callback": f"{machines.site.simulators.crm_url}/listener"} | query)
    assert made.status_code == 201, made.text


def heard(machines: Machines) -> list[dict[str, Any]]:
    """The events that it has been told, in the order in which they came."""
    return [event["body"] for event in machines.site.simulators.crm.events()]


def asks(machines: Machines, field: str) -> None:
    """From now on the construction task asks the order's sender for something."""
    site = machines.site
    given = SMALL.xml.decode()
    text = given.replace('id="BB_11" ', f'id="BB_11" kaitong:asks="{field}" ', 1)
    assert text != given
    upload = Upload(SMALL.filename, text.encode(), SMALL.forms)
    with site.store.write() as db:
        for version in site.services.definitions.upload(db, upload, at=site.clock.now(), actor="test"):
            site.services.definitions.deploy(db, version.id, at=site.clock.now(), actor="test")
