"""How people answer the forms of the fault process and its follow-up when all goes well, by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "TT_01": {"department": "ours", "line": "yt10230123", "symptom": "无法上网"},
    "TT_01Q": {"closing_text": "账务部门已答复: 套餐到期"},
    "TT_03T": {"told_by": "call"},
    "TT_06": {"answer_text": "正在排查", "expected_at": "2026-11-25T20:00:00+08:00"},
    "TT_06W": {"answer_text": "割接中", "expected_at": "2026-11-25T20:00:00+08:00"},
    "TT_04M": {"segment": "drop_cable", "findings": "光路衰耗大", "next_step": "dispatch"},
    "TT_05M": {"repaired": "yes", "repair_note": "已清除会话"},
    "TT_07D": {"crew": "E1"},
    "TT_08": {"acceptance": "accepted"},
    "TT_08A": {"arrival": "arrived"},
    "TT_08V": {"supervisor_note": "已与客户商定", "window_date": "2026-11-25", "window": "18-20"},
    "TT_09": {
        "repair_result": "done",
        "cause_code": "F01",
        "segment": "drop_cable",
        "part": "入户皮线",
        "material": "皮线 20 米",
        "fix_kind": "final",
    },
    "TT_09N": {"repair_result": "done", "cause_code": "F04", "segment": "olt", "repair_note": "更换单板"},
    "TT_09P": {
        "repair_result": "done",
        "partner_number": "CAT-1",
        "cause_code": "F12",
        "segment": "partner",
        "repair_note": "合作方已修复",
    },
    "TT_09Q": {"mass_fault": "no", "mass_fault_note": "仅此一户"},
    "TT_10M": {"line_ok": True, "test_note": "测试正常"},
    "TT_11": {"confirmation": "yes"},
    "TT_12": {
        "cause_code": "F01",
        "segment": "drop_cable",
        "time_owner": "network",
        "closing_text": "皮线老化, 已更换",
    },
    "TT_13": {"follow_up": "satisfied"},
    "TT_13R": {"report_cause": "外力挖断光缆, 已抢修恢复", "report_measures": "加强巡线"},
    "TT_13F": {"final_fix": "更换整段皮线"},
}
