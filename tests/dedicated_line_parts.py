"""Dedicated lines in tests: how people answer the forms when all goes well, and orders of each kind of line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "DL_01": {"review": "good"},
    "DL_01R": {"review": "good"},
    "DL_01P": {
        "clarified": "corrected",
        "z_address": "南圩县支行",
        "line_use": "办公上网",
        "ip_filing": "BA-2026-0311",
        "security_letter": "XA-0042",
    },
    "DL_021": {
        "survey": "ok",
        "room": "东汀机房",
        "power_ok": True,
        "node": "PE-E1",
        "cable": "GL-E-01",
        "foreign_tail": "own",
    },
    "DL_03": {
        "design": "designed",
        "a_node": "PE-E1",
        "a_cable": "GL-E-01",
        "z_node": "PE-N1",
        "z_cable": "GL-N-01",
        "route_text": "东汀机房 – 北岭机房",
        "devices": "CPE ×2",
        "cost_yuan": 12000,
        "build": "no",
    },
    "DL_04": {"review_result": "approved"},
    "DL_04M": {"manager_result": "approved"},
    "DL_061": {"drawing_number": "TZ-17", "contractor": "云汀工程", "negotiated_date": "2027-01-15"},
    "DL_062": {"permit": "granted", "permit_number": "XK-2026-9"},
    "DL_063": {"material_list": "光缆 2 km"},
    "DL_064": {"laying": "laid", "laid_metres": 1900},
    "DL_065": {"attenuation_db": 2.4, "civil_passed": True},
    "DL_066": {"new_cable_z": "GL-S-09", "new_cores": 24, "records_complete": True},
    "DL_06V": {"civil_decision": "redesign", "civil_stopped": True},
    "DL_08": {"route": "up", "route_loss_db": 3.2, "route_out": True},
    "DL_08R": {"route_review": "back"},
    "DL_10": {"circuit_route": "up", "cross_connects": "1-3-2 → 4-1-7", "circuit_up": True},
    "DL_10R": {"circuit_review": "back"},
    "DL_11M": {"a_config": "interface ge-0/1/0", "a_read_back": True, "done_by_hand": True},
    "DL_11N": {"z_config": "interface ge-0/1/1", "z_read_back": True, "done_by_hand": True},
    "DL_11C": {"core_config": "vrf definition", "done_by_hand": True},
    "DL_11D": {"core_check": "equal"},
    "DL_122": {"crew": "E1"},
    "DL_123": {"appointment": "appointed", "window_date": "2026-11-26", "window": "10-12"},
    "DL_124": {"result": "done", "device": "CPE-000417", "label": "DL-A-1", "photos": 3},
    "DL_126": {"supervisor_note": "已与客户和物业商定"},
    "DL_128": {"return_check": "approved"},
    "DL_13F": {"tester_serial": "TS-8", "test_method": "BERT", "loop_set": True},
    "DL_13": {"loss_percent": 0, "delay_ms": 3.1, "bit_error_rate": 0, "test_result": "passed"},
    "DL_14": {"acceptance": "accepted", "rent_start": "2026-12-01", "signed_by": "高主任"},
    "DL_14V": {"acceptance": "accepted", "rent_start": "2026-12-08", "signed_by": "高主任"},
    "DL_15": {
        "handover": "complete",
        "has_drawings": True,
        "has_report": True,
        "has_labels": True,
        "has_records": True,
        "has_contacts": True,
    },
    "DL_17": {"faults_counted": 0, "availability_percent": 99.99, "final_result": "passed"},
    "DL_17Q": {"quality_result": "已更换尾纤"},
    "DL_U31": {"device_state": "good", "device_removed": True},
    "DL_U3D": {"undone_by_hand": True},
    "DL_U3T": {"route_taken_down": True},
    "DL_U3P": {"work_stopped": True},
}

P2P: Mapping[str, Any] = {
    "product": "P2P-100M",
    "tier": "A",
    "customer": "云汀农信",
    "address": "东汀区总部机房",
    "building": "总部机房",
    "z_area": "YT-S",
    "z_address": "南圩县支行",
    "contract_number": "HT-2026-118",
}
"""A point-to-point line for a gold customer."""
PAPERS: Mapping[str, Any] = {
    "line_use": "办公上网",
    "ip_filing": "BA-2026-0311",
    "security_letter": "XA-0042",
}
NET: Mapping[str, Any] = {
    "product": "NET-100M",
    "tier": "C",
    "customer": "云汀书店",
    "address": "东汀大道1号",
    "building": "东汀大道1号",
    **PAPERS,
}
"""An internet line with all its papers: its other end is our own."""
VPN: Mapping[str, Any] = {**P2P, "product": "VPN-20M", "tier": "B"}
