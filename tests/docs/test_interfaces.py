"""The pages about our interfaces tell of every call, parameter, characteristic and code that there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.jobs import health
from engine.orders.callbacks import EVENT_TYPES, TICKET_EVENT_TYPES
from web.api.health import blueprint as watchdogs
from web.api.openapi import describe, openapi_path
from web.api.tmf621.blueprint import blueprint as tmf621
from web.api.tmf621.patching import PATCHABLE as TICKET_PATCHABLE
from web.api.tmf621.tickets import FILTERS as TICKET_FILTERS
from web.api.tmf641.blueprint import blueprint as tmf641
from web.api.tmf641.cancelling import FILTERS as CANCEL_FILTERS
from web.api.tmf641.intake import CHARACTERISTICS
from web.api.tmf641.orders import FILTERS as ORDER_FILTERS
from web.api.tmf641.patching import PATCHABLE
from web.api.v1.blueprint import ROUTES

DOCS = Path(__file__).resolve().parents[2] / "docs"
API = (DOCS / "reference/api.md").read_text(encoding="utf-8")
TMF621 = (DOCS / "reference/tmf621.md").read_text(encoding="utf-8")
TMF641 = (DOCS / "reference/tmf641.md").read_text(encoding="utf-8")
BROADBAND = (DOCS / "reference/broadband-order.md").read_text(encoding="utf-8")


def test_every_route_of_ours_has_its_line_with_its_right() -> None:
    for route in ROUTES:
        (line,) = [
            li for li in API.splitlines() if li.startswith(f"| `{route.method} {openapi_path(route.path)}` |")
        ]
        right = route.rule.right
        assert f"| `{right}` |" in line if right else "| |" in line, line


def test_every_parameter_of_ours_is_named() -> None:
    words = {name for route in ROUTES for p in route.parameters for name in (p.name, *p.one_of)}

    assert [word for word in sorted(words) if not re.search(rf"[`=]{word}[`=]", API)] == []


def test_every_operation_of_tmf641_has_its_line() -> None:
    listed = set(re.findall(r"^\| `(\w+ /\S+)` \|", TMF641, re.MULTILINE))

    assert listed == {
        f"{method} {path}" for path in ("/serviceOrder", "/cancelServiceOrder") for method in ("POST", "GET")
    } | {
        "GET /serviceOrder/{id}",
        "PATCH /serviceOrder/{id}",
        "GET /cancelServiceOrder/{id}",
        "POST /hub",
        "DELETE /hub/{id}",
    }
    assert len(tmf641.deferred_functions) == len(listed)


def test_every_filter_event_and_patchable_attribute_of_tmf641_is_named() -> None:
    words = {*ORDER_FILTERS, *CANCEL_FILTERS, *EVENT_TYPES, *PATCHABLE, "fields", "offset", "limit"}

    assert [word for word in words if not re.search(rf"`{re.escape(word)}[`=]", TMF641)] == []


def test_every_operation_of_tmf621_has_its_line() -> None:
    listed = set(re.findall(r"^\| `((?:GET|POST|PATCH|DELETE) /\S+)` \|", TMF621, re.MULTILINE))

    assert listed == {
        "GET /troubleTicket",
        "POST /troubleTicket",
        "GET /troubleTicket/{id}",
        "PATCH /troubleTicket/{id}",
        "POST /hub",
        "DELETE /hub/{id}",
    }
    assert len(tmf621.deferred_functions) == len(listed)


def test_every_filter_event_and_patchable_attribute_of_tmf621_is_named() -> None:
    words = {*TICKET_FILTERS, *TICKET_EVENT_TYPES, *TICKET_PATCHABLE, "fields", "offset", "limit", "after"}

    assert [word for word in words if not re.search(rf"`{re.escape(word)}[`=]", TMF621)] == []


def test_every_characteristic_has_its_line() -> None:
    for name, known in CHARACTERISTICS.items():
        (line,) = [li for li in BROADBAND.splitlines() if li.startswith(f"| `{name}` |")]
        cells = [cell.strip() for cell in line.split("|")]
        assert cells[3].startswith("yes" if known.required else "no")
        assert str(known.most) in cells[4]
        assert (cells[5] == "yes") is known.whole_order


def test_every_watchdog_address_and_order_state_is_told() -> None:
    assert len(watchdogs.deferred_functions) == 3
    assert [a for a in ("/healthz", "/readyz", "/metrics") if f"| `{a}` |" not in API] == []
    assert [
        s for s in health.ORDER_STATES if s not in ("pending", "rejected") and f"`{s}`" not in TMF641
    ] == []


@pytest.mark.parametrize(
    "page", [API, TMF621, TMF641, BROADBAND], ids=["api", "tmf621", "tmf641", "broadband-order"]
)
def test_examples_are_json_and_samples_exist(page: str) -> None:
    for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL):
        json.loads(block)
    for name in re.findall(r"\.\./samples/([\w-]+\.json)", page):
        json.loads((DOCS / "samples" / name).read_text(encoding="utf-8"))


def test_the_description_is_made_from_the_table_alone() -> None:
    document = describe(ROUTES)

    assert {o["operationId"] for item in document["paths"].values() for o in item.values()} == {
        route.name for route in ROUTES
    }
