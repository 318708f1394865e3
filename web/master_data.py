"""Which tables are master data, across all layers, and loading the files that are shipped for every site and the demo."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from engine.deploy.definitions import active_version
from engine.deploy.model import ProcessBinding
from engine.errors import NotFound
from engine.identity.model import Role
from engine.identity.rights import RIGHTS
from engine.masterdata.editing import BadRow
from engine.masterdata.loading import MasterTable, load, shipped, shipped_rows
from engine.masterdata.model import ReasonCode, Tier
from engine.orders.model import Product
from engine.resources.importing.run import import_rows
from engine.resources.model import Area, NetworkNode, Partner, ResourceKind
from engine.resources.ports import add_ports
from engine.resources.queries import nodes
from sla.model import SlaPolicy, SpecialDay, WorkCalendar
from tasks.field.model import Crew

DEMO = "web.demo"


def _knows_its_rights(_session: Any, row: Mapping[str, Any]) -> None:
    if odd := sorted(set(str(row.get("rights", "")).split()) - set(RIGHTS)):
        raise BadRow(table="role", field="rights", detail=f"there is no right {odd[0]}")


def _names_a_process_in_service(session: Any, row: Mapping[str, Any]) -> None:
    try:
        active_version(session, str(row["process_key"]))
    except NotFound as e:
        raise BadRow(
            table="process_binding", field="process_key", detail="no such process is in service"
        ) from e


TABLES: Mapping[str, MasterTable] = {
    "area": MasterTable(Area, ("id",)),
    "partner": MasterTable(Partner, ("id",)),
    "network_node": MasterTable(NetworkNode, ("id",)),
    "resource_kind": MasterTable(ResourceKind, ("code",)),
    "reason_code": MasterTable(ReasonCode, ("code",)),
    "role": MasterTable(Role, ("code",), _knows_its_rights),
    "tier": MasterTable(Tier, ("code",)),
    "product": MasterTable(Product, ("code",)),
    "process_binding": MasterTable(
        ProcessBinding, ("order_type", "product", "area", "tier"), _names_a_process_in_service
    ),
    "crew": MasterTable(Crew, ("id",)),
    "sla_policy": MasterTable(SlaPolicy, ("code",)),
    "work_calendar": MasterTable(WorkCalendar, ("code",)),
    "special_day": MasterTable(SpecialDay, ("day",)),
}


def shipped_roles() -> frozenset[str]:
    """The roles that every site begins with, for where there is no database."""
    return frozenset(row["code"] for row in shipped_rows("engine.masterdata", "role"))


@cache
def rows_of_csv(package: str, name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of a table that is shipped as CSV."""
    with resources.files(package).joinpath(name).open(encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def load_base(session: Any, at: datetime) -> Mapping[str, int]:
    """What every site begins with; files that this database has seen are passed over."""
    return load(
        session, [*shipped("engine.masterdata"), *shipped("sla"), *shipped("web.masterdata")], TABLES, at
    )


def load_demo(session: Any, at: datetime) -> None:
    """The demo operator: its masters, the ports of its devices, what reaches which building, and what is in stock."""
    load_base(session, at)
    if not load(session, shipped(DEMO), TABLES, at):
        return
    for node in nodes(session):
        add_ports(session, node, at)
    for kind in ("coverage", "onus", "numbers", "stock"):
        name = f"{kind}.csv"
        with resources.files(DEMO).joinpath(name).open("rb") as file:
            import_rows(session, kind, file, file=name, at=at)
