"""A service step that cannot be worked out from the order's data becomes an incident at that step, not a lost job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.deploy.definitions import Upload
from engine.identity.actor import SYSTEM
from engine.jobs.incidents import incidents
from engine.orders.model import ServiceOrder
from engine.store import Store
from tests.site import Site, running_site
from tests.small_broadband import SMALL


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with running_site(store, tmp_path) as running:
        yield running


def _deploy(site: Site, old: str, new: str) -> None:
    bundle = SMALL
    text = bundle.xml.decode("utf-8")
    assert old in text
    upload = Upload(bundle.filename, text.replace(old, new, 1).encode(), bundle.forms)
    with site.store.write() as session:
        for version in site.services.definitions.upload(session, upload, at=site.clock.now(), actor="test"):
            site.services.definitions.deploy(session, version.id, at=site.clock.now(), actor="test")


def _incident(site: Site, order: str) -> tuple[str, str]:
    with site.store.read() as session:
        (found,), _ = incidents(session, SYSTEM)
        assert session.get_one(ServiceOrder, order).state == "held"
        assert found.business_key == order
        return str(found.element), found.code


def test_an_input_that_names_data_which_the_order_does_not_have(site: Site) -> None:
    _deploy(
        site,
        '<kaitong:input name="area">area</kaitong:input>',
        '<kaitong:input name="area">region</kaitong:input>',
    )
    assert _incident(site, site.order_on_site()) == ("BB_03", "step.input")


def test_an_input_that_the_operation_does_not_take(site: Site) -> None:
    _deploy(
        site,
        '<kaitong:input name="speed_mbps">speed_mbps</kaitong:input>',
        "<kaitong:input name=\"speed_mbps\">'fast'</kaitong:input>",
    )
    assert _incident(site, site.order_on_site()) == ("BB_03", "adapter.needs_human")
