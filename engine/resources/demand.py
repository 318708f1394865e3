"""Demand where there is no line (需求预登记): written down once, and met when a network reaches the building."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.events import record
from engine.resources.model import Demand
from engine.resources.places import key_of


def note_demand(
    session: Session, area: str, building: str, speed_mbps: int, business_key: str, at: datetime
) -> None:
    """A second time for the same order changes nothing."""
    key = key_of(building)
    query = select(Demand.id).where(
        Demand.business_key == business_key, Demand.area_id == area, Demand.building_key == key
    )
    if session.scalar(query) is not None:
        return
    session.add(
        Demand(
            area_id=area,
            building=building,
            building_key=key,
            speed_mbps=speed_mbps,
            business_key=business_key,
            state="open",
            recorded_at=at,
        )
    )
    record(
        session,
        "DemandRecorded",
        at=at,
        actor="system",
        business_key=business_key,
        area=area,
        building=building,
        speed_mbps=speed_mbps,
    )
    session.flush()


def meet_demand(session: Session, reached: Mapping[tuple[str, str], int], at: datetime) -> int:
    """Buildings (area, key) that a network reaches now, with its speed: whoever waited is told by an event."""
    waiting = select(Demand).where(
        Demand.building_key.in_({key for _, key in reached}), Demand.state == "open"
    )
    met = [
        one
        for one in session.scalars(waiting)
        if one.speed_mbps <= reached.get((one.area_id, one.building_key), -1)
    ]
    for one in met:
        one.state, one.met_at = "met", at
        record(
            session,
            "DemandMet",
            at=at,
            actor="system",
            business_key=one.business_key,
            area=one.area_id,
            building=one.building,
            speed_mbps=one.speed_mbps,
        )
    return len(met)
