"""The rights that the program asks for. Which role holds which is data: the table `role`, docs/reference/roles.md."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

RIGHTS = (
    "view_tasks",
    "complete_task",
    "assign_task",
    "view_orders",
    "view_all_orders",
    "place_order",
    "note_order",
    "urge_order",
    "amend_order",
    "cancel_order",
    "view_incidents",
    "retry_incident",
    "view_sla",
    "view_definitions",
    "upload_definition",
    "deploy_definition",
    "manage_resources",
    "manage_master_data",
    "manage_people",
    "manage_tokens",
    "start_instance",
    "hub_subscribe",
    "report_partner_order",
    "view_mass_faults",
    "manage_mass_faults",
    "report_alarm",
    "see_customer_data",
    "see_variables",
)
"""Every right, in the order in which people read them."""

EVERYTHING = "AD"
"""The role that holds every right, whatever the table says: nobody can lock everybody out."""
MACHINE = "SYS"
"""The product itself: everything but what is over people and their keys."""
_PEOPLE_ONLY = frozenset({"manage_people", "manage_tokens"})

Grants = Mapping[str, frozenset[str]]
"""Rights by role, as the table has them."""


def rights_of(roles: frozenset[str], grants: Grants) -> frozenset[str]:
    """All rights that somebody with these roles holds; what the table names and the program does not know is no right."""
    if EVERYTHING in roles:
        return frozenset(RIGHTS)
    machine = frozenset(RIGHTS) - _PEOPLE_ONLY if MACHINE in roles else frozenset[str]()
    granted = (grants.get(role, frozenset()) for role in roles)
    return machine | frozenset(RIGHTS).intersection(frozenset[str]().union(*granted))


@lru_cache(maxsize=8)
def read_grants(written: str | None) -> Grants:
    """The table `role` in one line, as the query for an actor brings it: `FC:view_tasks complete_task;DP:…`."""
    roles = (part.partition(":") for part in (written or "").split(";") if part)
    return {code: frozenset(rights.split()) for code, _, rights in roles}
