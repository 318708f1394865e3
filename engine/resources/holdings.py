"""Taking, moving on and giving back single resources. A change writes the row and its history together.

The rules of each kind (how long it is reserved, how long it cools) are rows of `resource_kind`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from engine.errors import NeedsHuman
from engine.orders.numbering import next_serial
from engine.resources.model import Resource, ResourceKind, ResourceUse
from engine.store.base import table_of
from engine.store.prepared import Prepared, inserting, updating

_r, _u, _k = table_of(Resource), table_of(ResourceUse), table_of(ResourceKind)
_TAKEN = or_(_r.c.state == "held", _r.c.state == "reserved", _r.c.state == "in_use")
_RULE = Prepared(select(_k).where(_k.c.code == bindparam("kind")))
_OF_HOLDER = Prepared(
    select(_r).where(_r.c.holder == bindparam("of"), _TAKEN).order_by(_r.c.id).with_for_update()
)
_BY_NAME = Prepared(
    select(_r).where(_r.c.kind == bindparam("of_kind"), _r.c.name == bindparam("called")).order_by(_r.c.id)
)
_free = (
    select(_r)
    .where(_r.c.kind == bindparam("of_kind"), _r.c.place == bindparam("at_place"), _r.c.state == "free")
    .order_by(_r.c.id)
    .limit(1)
)
_FREE = Prepared(_free.with_for_update(skip_locked=True))
_LAST = Prepared(_free.with_for_update())
_MOVE = Prepared(
    update(_r).where(_r.c.id == bindparam("which"), _r.c.state == bindparam("was")),
    ["state", "holder", "slot", "taken_by", "held_until", "changed_at"],
)
_END_USE = Prepared(
    update(_u).where(_u.c.resource_id == bindparam("which"), _u.c.until_at.is_(None)), ["until_at"]
)
_GIVEN_UP = Prepared(
    select(_r.c.name)
    .join(_u, _u.c.resource_id == _r.c.id)
    .where(
        _u.c.holder == bindparam("of"),
        _r.c.kind == bindparam("of_kind"),
        _r.c.state == bindparam("now_state"),
    )
    .order_by(_u.c.id.desc())
    .limit(1)
)
_UNTIL = updating(_r, {"id": "which"}, "held_until")
_BEGIN_USE = inserting(_u, without=["id"])
_MAKE = inserting(_r, returning="id", without=["id"])


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to hold something, and since when. `slot` tells several lines or ends of one holder apart."""

    holder: str
    now: datetime
    slot: str = ""
    key: str | None = None


def rule_of(session: Session, kind: str) -> Any:
    """The row of `resource_kind`. Raises `NeedsHuman` where there is none."""
    found = _RULE.first(session, kind=kind)
    if found is None:
        raise NeedsHuman(target="resources", detail=f"{kind} is no kind of resource (table resource_kind)")
    return found


def held_by(session: Session, holder: str) -> Sequence[Any]:
    """What somebody holds, has reserved or uses, oldest row first; locked until the transaction ends."""
    return _OF_HOLDER.rows(session, of=holder)


def named(session: Session, kind: str, name: str) -> Any | None:
    """The resource of this name, whatever its state."""
    return _BY_NAME.first(session, of_kind=kind, called=name)


def given_up_last(session: Session, holder: str, kind: str, state: str) -> str | None:
    """What somebody held last of those that are in this state now."""
    found: str | None = _GIVEN_UP.value(session, of=holder, of_kind=kind, now_state=state)
    return found


def pick(session: Session, kind: str, place: str) -> Any | None:
    """A free one, locked. Where others are locked just now it waits for them, so None means that all are taken."""
    wanted = {"of_kind": kind, "at_place": place}
    return _FREE.first(session, **wanted) or _LAST.first(session, **wanted)


def move(
    session: Session, row: Any, state: str, wish: Wish | None, until: datetime | None, now: datetime
) -> bool:
    """The resource gets this state and holder, if nobody was faster. Without a wish it belongs to nobody."""
    changed = _MOVE.run(
        session,
        which=row.id,
        was=row.state,
        state=state,
        holder=wish.holder if wish else None,
        slot=wish.slot if wish else "",
        taken_by=wish.key if wish else None,
        held_until=until,
        changed_at=now,
    )
    if changed:
        _END_USE.run(session, which=row.id, until_at=now)
        if state != "free":
            _begin_use(session, row.id, state, wish, now)
    return bool(changed)


def make(session: Session, kind: str, rule: Any, wish: Wish, name: str | None = None) -> str:
    """A new resource, reserved; its name: the given one, or one of our own. The serial is counted by day, in UTC."""
    day = f"{wish.now:%Y%m%d}"
    name = name or f"{rule.prefix}{day[2:]}{next_serial(session, kind.upper()[:3], day):05d}"
    made = _MAKE.value(
        session,
        kind=kind,
        place="",
        name=name,
        state="reserved",
        vlan=None,
        top_speed_mbps=None,
        holder=wish.holder,
        slot=wish.slot,
        taken_by=wish.key,
        held_until=wish.now + timedelta(minutes=rule.reserve_minutes),
        changed_at=wish.now,
    )
    _begin_use(session, made, "reserved", wish, wish.now)
    return name


def give_back(session: Session, row: Any, now: datetime) -> bool:
    """Free again, or cooling first, or retired: what was made by us is never given twice."""
    rule = rule_of(session, row.kind)
    if rule.cooling_minutes and row.state != "held":
        last = Wish(row.holder, now, row.slot)
        return move(session, row, "cooling", last, now + timedelta(minutes=rule.cooling_minutes), now)
    return move(session, row, "retired" if rule.prefix else "free", None, None, now)


def prolong(session: Session, row: Any, until: datetime) -> bool:
    """A reservation lasts longer; it never gets shorter."""
    if row.state not in ("held", "reserved") or row.held_until is None or row.held_until >= until:
        return False
    return bool(_UNTIL.run(session, which=row.id, held_until=until))


def label(row: Any) -> str:
    """How a resource is called in events: `port OLT-E01 1/3/7`."""
    return " ".join(part for part in (row.kind, row.place, row.name) if part)


def _begin_use(session: Session, which: int | None, state: str, wish: Wish | None, now: datetime) -> None:
    _BEGIN_USE.run(
        session,
        resource_id=which,
        state=state,
        holder=wish.holder if wish else None,
        from_at=now,
        until_at=None,
    )
