"""From what a customer says to a building: names are compared without blanks, commas, widths and letter case."""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from engine.resources.model import Area, Building
from engine.store.base import table_of
from engine.store.prepared import Prepared

LONGEST = 200
SHORTEST = 2
_LEFT_OUT = re.compile(r"[\s,.;:，。；：、\u200b\ufeff]+")
_building = table_of(Building)
_EXACT = Prepared(
    select(_building.c.id).where(
        _building.c.area_id == bindparam("area"), _building.c.key == bindparam("key")
    )
)


def key_of(text: str) -> str:
    """What a building's name is compared by."""
    return _LEFT_OUT.sub("", unicodedata.normalize("NFKC", text)).casefold()[:LONGEST]


def building_id(session: Session, area: str, name: str) -> int | None:
    """The building of this name."""
    found: int | None = _EXACT.value(session, area=area, key=key_of(name))
    return found


def find_building(session: Session, text: str, area: str | None = None) -> Building | None:
    """The building that an address lies in: the longest name that the address begins with, behind its area's name.

    Looks up each beginning of the address by the index, so the number of buildings does not matter.
    """
    address = key_of(text)
    starts = {address}
    for row in session.scalars(select(Area).where(Area.id == area) if area else select(Area)):
        for known in (key_of(row.name), key_of(row.name_en)):
            before, found, rest = address.partition(known)
            if known and found and len(before) <= len(address) // 2:
                starts.add(rest)
    keys = {start[:n] for start in starts for n in range(SHORTEST, len(start) + 1)}
    if not keys:
        return None
    query = select(Building).where(Building.key.in_(keys)).order_by(func.length(Building.key).desc())
    if area:
        query = query.where(Building.area_id == area)
    return next((b for b in session.scalars(query.limit(50)) if _ends_there(b.key, starts)), None)


def _ends_there(key: str, starts: set[str]) -> bool:
    """No. 1 is not the beginning of No. 18."""
    return any(
        start.startswith(key) and not (key[-1].isdigit() and start[len(key) : len(key) + 1].isdigit())
        for start in starts
    )
