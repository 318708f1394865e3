"""The local operation by which a process tells people something in their inbox (在系统内通知)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.events import record
from engine.identity import inbox
from engine.identity.model import Person
from engine.ports import LocalCall, LocalOperation, Operation, Repeat

KIND = "process.news"


class TellRequest(Schema):
    """Who is told, and what, in both languages."""

    role = fields.String(required=True)
    area = fields.String(load_default=None, allow_none=True)
    everywhere = fields.Boolean(load_default=False)
    level = fields.String(load_default="info", validate=validate.OneOf(["info", "warn", "late"]))
    text = fields.String(required=True, validate=validate.Length(1, 300))
    text_en = fields.String(required=True, validate=validate.Length(1, 300))


class TellResponse(Schema):
    """How many people were told."""

    told = fields.Integer(required=True)


class TellPeople:
    """Everybody with the role who works in the area; `everywhere`: only those who answer for all areas."""

    operation = Operation("people.tell", "通知人员", "Tell people", TellRequest, TellResponse, Repeat.NATIVE)
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """The same step tells nobody twice."""
        args = call.args
        people = people_of(session, args["role"], args["area"], everywhere=args["everywhere"])
        facts = {"order": call.business_key, "text": args["text"], "text_en": args["text_en"]}
        inbox.tell(session, people, call.key, KIND, args["level"], facts, call.now)
        record(
            session,
            "PeopleTold",
            at=call.now,
            actor="system",
            business_key=call.business_key,
            instance_id=call.instance_id,
            role=args["role"],
            people=len(people),
            text=args["text"],
        )
        return {"told": len(people)}


def people_of(session: Session, role: str, area: str | None, *, everywhere: bool = False) -> list[int]:
    """Everybody with the role who works in the area; `everywhere`: only those who answer for all areas."""
    return [p.id for p in _active(session, role) if _answers_for(p, area, everywhere)]


def _active(session: Session, role: str) -> list[Person]:
    query = select(Person).where(Person.active.is_(True)).order_by(Person.id)
    return [p for p in session.scalars(query) if role in p.roles]


def _answers_for(person: Person, area: str | None, everywhere: bool) -> bool:
    """No areas mean all of them."""
    return not person.areas or (not everywhere and (area is None or area in person.areas))


def operations() -> dict[str, LocalOperation]:
    """All of them by name."""
    return {TellPeople.operation.name: TellPeople()}
