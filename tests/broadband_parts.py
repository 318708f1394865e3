"""How people answer the forms of the broadband process when all goes well, by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.commands import demo
from web.master_data import DEMO, rows_of_csv

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    **demo.ANSWERS,
    "BB_01P": {
        "clarified": "corrected",
        "address": "东汀区汀兰路18号3栋1202",
        "building": "汀兰路18号3栋",
        "phone": "13800134021",
    },
    "BB_03U": {"building": "汀兰路18号3栋", "survey_remark": "现场核对过楼牌"},
    "BB_06D": {"crew": "E1"},
    "BB_07C": {"call_result": "reached", "call_note": "客户已接听"},
    "BB_07A": {"window_date": "2026-11-24", "window": "18-20"},
    "BB_07V": {"supervisor_note": "已与客户商定"},
    "BB_07D": {"suspension_check": "approved"},
    "BB_07E": {"suspension_check": "approved", "approval_note": "客户出差"},
    "BB_08S": {"partner_note": "电话无人接听"},
    "BB_08D": {"partner_check": "good", "photos_checked": True, "signed_by": "林女士", "rating": 5},
    "BB_09M": {"vlan": 1300, "service_port_ready": True, "configured_by_hand": True},
    "BB_11C": {"call_result": "declines", "call_note": "客户确认不装"},
    "BB_11D": {"return_check": "approved"},
    "BB_12M": {"line_profile": "LAN-1000", "activated_by_hand": True, "configured_by_hand": True},
    "BB_13V": {"decision": "site", "decision_note": "换尾纤"},
    "BB_14V": {"decision": "site", "decision_note": "再上门一次"},
    "BB_15H": {"old_line_down": True},
    "BB_16": {"follow_up": "satisfied", "follow_up_rating": 5},
    "BB_K2": {"cancel_decision": "stopped"},
    "BB_K3": {"cancel_decision": "stopped", "cancel_note": "已电话通知"},
    "BB_K4": {"cancel_decision": "approved"},
    "BB_U3": {"undone_by_hand": True},
    "BB_U5": {"device_state": "good"},
}


def onu_serials() -> tuple[str, ...]:
    """The ONUs in the stores of the demo operator."""
    return tuple(row["serial"] for row in rows_of_csv(DEMO, "onus.csv"))


def told(element: str, order: str) -> dict[str, Any]:
    """The answers for an order of its own: every customer has a terminal of his own."""
    values = dict(ANSWERS[element])
    if "onu_serial" in values:
        serials = onu_serials()
        values["onu_serial"] = serials[int(order.split(".")[0][-6:]) % len(serials)]
    return values
