"""Which tables are master data, across all layers, and loading the files that are shipped for every site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.deploy.model import ProcessBinding
from engine.masterdata.loading import MasterTable, load, shipped
from engine.masterdata.model import ReasonCode, Tier
from engine.orders.model import Product
from engine.resources.model import Area, NetworkNode, Partner, ResourceKind
from sla.model import SlaPolicy
from tasks.field.model import Crew

TABLES: Mapping[str, MasterTable] = {
    "area": MasterTable(Area, ("id",)),
    "partner": MasterTable(Partner, ("id",)),
    "network_node": MasterTable(NetworkNode, ("id",)),
    "resource_kind": MasterTable(ResourceKind, ("code",)),
    "reason_code": MasterTable(ReasonCode, ("code",)),
    "tier": MasterTable(Tier, ("code",)),
    "product": MasterTable(Product, ("code",)),
    "process_binding": MasterTable(ProcessBinding, ("order_type", "product", "area", "tier")),
    "crew": MasterTable(Crew, ("id",)),
    "sla_policy": MasterTable(SlaPolicy, ("code",)),
}


def load_base(session: Any, at: datetime) -> Mapping[str, int]:
    """What every site begins with; files that this database has seen are passed over."""
    return load(session, shipped("engine.masterdata"), TABLES, at)
