"""Coverage files: which network reaches which building. New buildings are made; unmet demand there is met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.resources.demand import meet_demand
from engine.resources.importing.report import Report
from engine.resources.importing.sheet import Column, Refusal, any_text, one_of, whole
from engine.resources.model import OWN, Area, Building, Coverage, NetworkNode, Partner
from engine.resources.places import key_of

COLUMNS = (
    Column("area", "区域", any_text),
    Column("building", "楼栋", any_text),
    Column("network", "网络", any_text, empty=OWN, needed=False),
    Column("technology", "接入方式", any_text, empty="FTTH", needed=False),
    Column("node", "接入节点", any_text, needed=False),
    Column("top_speed_mbps", "最高速率", whole(1, 1_000_000)),
    Column("quality", "质量", whole(0, 100), empty=80, needed=False),
    Column("cost_fen", "月成本(分)", whole(0, 100_000_000), empty=0, needed=False),
    Column("active", "启用", one_of("yes", "no", "是", "否"), empty="yes", needed=False),
)
_VALUES = ("node", "top_speed_mbps", "quality", "cost_fen", "active")


class CoverageFile:
    """Knows the masters that rows name; read once for each file."""

    columns = COLUMNS

    def __init__(self, session: Session) -> None:
        self._areas = set(session.scalars(select(Area.id)))
        self._partners = set(session.scalars(select(Partner.id)))
        self._nodes = set(session.scalars(select(NetworkNode.id)))

    def refuse(self, number: int, row: Mapping[str, Any]) -> Refusal | None:
        """What is wrong with the row beside the form of its cells."""
        if row["area"] not in self._areas:
            return Refusal(number, "area", f"没有区域 {row['area']}", f"there is no area {row['area']}")
        if not 2 <= len(key_of(row["building"])) < 200:
            return Refusal(number, "building", "名称应为 2 到 199 个字符", "must have 2 to 199 characters")
        own = row["network"] == OWN
        if not own and row["network"] not in self._partners:
            return Refusal(
                number, "network", f"没有合作方 {row['network']}", f"there is no partner {row['network']}"
            )
        if own and row["node"] not in self._nodes:
            return Refusal(
                number, "node", "自有网络须指明接入节点", "our own network needs an access node of ours"
            )
        if not own and row["node"]:
            return Refusal(
                number, "node", "合作方网络没有我方节点", "a partner's network has no node of ours"
            )
        if len(row["technology"]) > 64:
            return Refusal(number, "technology", "超过 64 个字符", "is longer than 64 characters")
        return None

    def write(
        self, session: Session, rows: Sequence[tuple[int, Mapping[str, Any]]], report: Report, at: datetime
    ) -> None:
        """A batch; of rows that mean the same the last one stays."""
        buildings = self._buildings(session, [row for _, row in rows])
        ids = {b.id for b in buildings.values()}
        known = {
            (c.building_id, c.network, c.technology): c
            for c in session.scalars(select(Coverage).where(Coverage.building_id.in_(ids)))
        }
        reached: dict[tuple[str, str], int] = {}
        for _, row in rows:
            building = buildings[row["area"], key_of(row["building"])]
            place = (building.id, row["network"], row["technology"])
            values = {name: row[name] for name in _VALUES} | {"active": row["active"] in ("yes", "是")}
            found = known.get(place)
            if found is not None and all(getattr(found, k) == v for k, v in values.items()):
                report.count("unchanged")
                continue
            if found is None:
                known[place] = found = Coverage(
                    building_id=building.id, network=row["network"], technology=row["technology"]
                )
                session.add(found)
                report.count("added")
            else:
                report.count("changed")
            for name, value in values.items():
                setattr(found, name, value)
            if found.active:
                spot = building.area_id, building.key
                reached[spot] = max(found.top_speed_mbps, reached.get(spot, 0))
        session.flush()
        if reached:
            meet_demand(session, reached, at)

    def _buildings(
        self, session: Session, rows: Sequence[Mapping[str, Any]]
    ) -> dict[tuple[str, str], Building]:
        """The buildings of the rows by area and key; those that are new are added."""
        wanted = {(row["area"], key_of(row["building"])): row["building"] for row in rows}
        query = select(Building).where(Building.key.in_({key for _, key in wanted}))
        found = {(b.area_id, b.key): b for b in session.scalars(query)}
        for (area, key), name in wanted.items():
            if (area, key) not in found:
                found[area, key] = Building(area_id=area, name=name, key=key)
                session.add(found[area, key])
        session.flush()
        return found
