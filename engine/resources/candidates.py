"""Which networks could serve a building, best first: our own before partners', then the cheaper, then the better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from engine.resources.model import OWN, Coverage, Partner, Resource
from engine.store.base import table_of
from engine.store.prepared import Prepared

_c, _p, _r = table_of(Coverage), table_of(Partner), table_of(Resource)
_free = (
    select(func.count())
    .select_from(_r)
    .where(_r.c.kind == "port", _r.c.place == _c.c.node, _r.c.state == "free")
    .scalar_subquery()
)
_OF_BUILDING = Prepared(
    select(
        _c.c.network,
        _c.c.technology,
        _c.c.node,
        _c.c.top_speed_mbps,
        _c.c.quality,
        _c.c.cost_fen,
        _p.c.name,
        _p.c.name_en,
        _free.label("free_ports"),
    )
    .select_from(_c.outerjoin(_p, _p.c.id == _c.c.network))
    .where(
        and_(_c.c.building_id == bindparam("building"), _c.c.active.is_(True)),
        or_(_c.c.network == OWN, _p.c.active.is_(True)),
    )
    .order_by((_c.c.network == OWN).desc(), _c.c.cost_fen, _c.c.quality.desc(), _c.c.id)
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network that reaches a building. `free_ports` is None where the ports are a partner's."""

    network: str
    kind: str  # own, partner
    name: str | None
    name_en: str | None
    technology: str
    node: str | None
    top_speed_mbps: int
    quality: int
    cost_fen: int
    free_ports: int | None

    @property
    def is_open(self) -> bool:
        """Whether it could take one more line, as far as we know."""
        return self.free_ports is None or self.free_ports > 0

    def as_dict(self) -> dict[str, Any]:
        """For a variable of a process, and for interfaces."""
        return asdict(self)


def candidates(session: Session, building: int | None) -> Sequence[Candidate]:
    """All networks of a building, whatever their speed and whether a port is free."""
    if building is None:
        return ()
    return [
        Candidate(
            row.network,
            "own" if row.network == OWN else "partner",
            row.name,
            row.name_en,
            row.technology,
            row.node,
            row.top_speed_mbps,
            row.quality,
            row.cost_fen,
            row.free_ports if row.network == OWN else None,
        )
        for row in _OF_BUILDING.rows(session, building=building)
    ]
