"""How people answer the forms of the smaller processes when all goes well, by element; and lines on which they work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WINDOW = {"window_date": "2026-11-24", "window": "18-20"}
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "CH_01P": {"clarified": "corrected", "line": "?"},
    "CH_04M": {"configured_by_hand": True, "manual_note": "已改限速模板"},
    "CH_07V": {"decision": "again", "decision_note": "已清理旧会话"},
    "CH_09": {"appointment": "appointed", **_WINDOW},
    "CH_09D": {"crew": "E1"},
    "CH_10": {"result": "done", "onu_serial": "YTGP1A2B3C4D", "rx_power_dbm": -20.5, "old_onu_taken": True},
    "CH_12": {"acceptance": "accepted", "measured_mbps": 950, "signed_by": "林女士", "rating": 5},
    "CH_U3": {"undone_by_hand": True},
    "CH_U5": {"device_state": "good"},
    "SP_01P": {"clarified": "corrected", "line": "?"},
    "TM_01P": {"clarified": "corrected", "line": "?"},
    "TM_04M": {"removed_by_hand": True},
    "TM_04T": {"removed": True},
    "TM_04D": {"removed": True},
    "TM_05": {"device": "good", "fetched_by": "visit"},
    "TM_05A": {"removed": True},
    "TM_05Z": {"removed": True},
    "TM_06P": {"rent_ended": True, "partner_note": "对方已确认停租"},
    "SU_02": {"survey_result": "yes", "building": "汀兰路18号3栋", "survey_remark": "现场核对过楼牌"},
    "QO_02D": {"crew": "E1"},
    "QO_03": {"quality_result": "已重做尾纤", "photos_taken": True},
    "QO_04": {"photo_check": "good"},
    "QO_05": {"follow_up": "satisfied", "follow_up_rating": 5},
    "QO_06": {"decision": "again", "decision_note": "再上门一次"},
}
