"""The roles, and the one table that says which role holds which right. docs/reference/roles.md explains both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """A post in the operator's organisation, a partner, or a machine."""

    code: str
    name_zh: str
    name_en: str


ROLES: Mapping[str, Role] = {
    code: Role(code, zh, en)
    for code, zh, en in (
        ("FC", "装维", "field crew"),
        ("PT", "合作方", "partner"),
        ("DP", "调度", "dispatcher"),
        ("SV", "班长/主管", "supervisor"),
        ("OP", "运维", "operator"),
        ("NC", "网管", "network centre"),
        ("RS", "资源/方案", "resource and design engineer"),
        ("TX", "传输调度", "transmission dispatcher"),
        ("DE", "数据制作", "data engineer"),
        ("PM", "工程", "construction manager"),
        ("MT", "维护", "maintenance receiver"),
        ("CM", "客户经理", "customer manager"),
        ("CS", "客服", "customer service"),
        ("QA", "回访/质检", "follow-up and quality"),
        ("PD", "流程管理员", "process designer"),
        ("AD", "系统管理员", "administrator"),
        ("SYS", "系统", "machine"),
        ("CRM", "营业受理系统", "ordering system"),
        ("PTS", "合作方系统", "partner's system"),
    )
}

_TASK_HOLDERS = "FC PT DP SV OP NC RS TX DE PM MT CM CS QA"
_TABLE = {
    "view_tasks": _TASK_HOLDERS,
    "complete_task": _TASK_HOLDERS,
    "assign_task": "PT DP SV",
    "view_orders": _TASK_HOLDERS + " CRM",
    "view_all_orders": "CM CS",
    "place_order": "CM CS CRM",
    "note_order": "DP SV OP NC CM CS QA CRM",
    "cancel_order": "DP SV CM CS CRM",
    "view_incidents": "DP SV OP NC DE",
    "retry_incident": "OP",
    "view_sla": "DP SV OP NC CM CS QA",
    "view_definitions": "DP SV OP NC QA PD",
    "upload_definition": "PD",
    "deploy_definition": "PD",
    "manage_resources": "RS",
    "manage_people": "",
    "manage_tokens": "",
    "start_instance": "OP PD",
    "hub_subscribe": "CRM",
    "report_partner_order": "PTS",
    "see_customer_data": "FC PT DP SV RS PM CM CS QA CRM",
    "see_variables": "OP",
}
_PEOPLE_ONLY = frozenset({"manage_people", "manage_tokens"})


def _holders(right: str, codes: str) -> frozenset[str]:
    """AD holds every right; SYS every one but those over people and their keys."""
    return frozenset(codes.split()) | {"AD"} | (set() if right in _PEOPLE_ONLY else {"SYS"})


RIGHTS: Mapping[str, frozenset[str]] = {right: _holders(right, codes) for right, codes in _TABLE.items()}


def rights_of(roles: frozenset[str]) -> frozenset[str]:
    """All rights that somebody with these roles holds."""
    return frozenset(right for right, holders in RIGHTS.items() if holders & roles)
