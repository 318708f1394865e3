"""Switching a line off and on again (停复机): who wants it off, and since when.

Several may want a line off, each for a reason of his own; it is on when nobody does. Of one reason the sender's time
decides, not the order in which wishes arrive: so suspension and resumption may cross on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.events import record
from engine.lines.finding import NO_LINE, find_line, suspended_for
from engine.lines.model import LineSuspension
from engine.orders.model import ServiceOrder
from engine.ports import LocalCall, Operation, Repeat
from engine.runtime.model import ProcessInstance

REASONS = ("arrears", "customer", "legal")
LEGAL_HOLD = {"LEGAL_HOLD": "司法停机只能由原单位解除 only its issuer lifts a legal suspension"}


class SuspendRequest(Schema):
    """Why, by whom where the law asks for it, and when the sender decided it."""

    line = fields.String(required=True)
    reason = fields.String(load_default="customer", allow_none=True, validate=validate.OneOf(REASONS))
    issuer = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=64))
    asked_at = fields.AwareDateTime(load_default=None, allow_none=True, default_timezone=UTC)


class ResumeRequest(SuspendRequest):
    """Without a reason: whatever the sender may lift."""

    reason = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(REASONS))


class WishedResponse(Schema):
    """Whether the line is to be on now, the reasons against it, and what the rows said before, for the way back."""

    active = fields.Boolean(required=True)
    suspended = fields.List(fields.String(), required=True)
    is_changed = fields.Boolean(required=True)
    before = fields.List(fields.Dict(), required=True)


class LineRequest(Schema):
    """Which line."""

    line = fields.String(required=True)


class StateResponse(Schema):
    """Whether the line is to be on now, and the reasons against it."""

    active = fields.Boolean(required=True)
    suspended = fields.List(fields.String(), required=True)


class RestoreRequest(LineRequest):
    """What `line.suspend` or `line.resume` gave as `before`."""

    before = fields.List(fields.Dict(), required=True)


class SuspendLine:
    """Somebody wants the line off."""

    operation = Operation(
        "line.suspend",
        "登记停机",
        "Suspend the line",
        SuspendRequest,
        WishedResponse,
        Repeat.NATIVE,
        errors=NO_LINE,
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Nothing changes where the sender has lifted this reason later."""
        account = _account(session, call)
        reason = call.args["reason"] or "customer"
        before = [_set(session, account, reason, True, call)]
        return _wished(session, account, before)


class ResumeLine:
    """Somebody no longer wants the line off."""

    operation = Operation(
        "line.resume",
        "登记复机",
        "Resume the line",
        ResumeRequest,
        WishedResponse,
        Repeat.NATIVE,
        errors={**NO_LINE, **LEGAL_HOLD},
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """LEGAL_HOLD: all that keeps the line off is a legal suspension of somebody else. A line that is on is good."""
        account = _account(session, call)
        lifted = [call.args["reason"]] if call.args["reason"] else list(REASONS)
        legal = session.get(LineSuspension, (account, "legal"))
        if legal is not None and legal.is_on and legal.issuer != call.args["issuer"]:
            if "legal" in lifted:
                lifted.remove("legal")
            if not lifted or suspended_for(session, account) == ["legal"]:
                detail = f"{account} is off by order of {legal.issuer}"
                raise Permanent("LEGAL_HOLD", target="lines", detail=detail)
        if legal is None and "legal" in lifted and not call.args["reason"]:
            lifted.remove("legal")
        return _wished(session, account, [_set(session, account, r, False, call) for r in lifted])


class LineState:
    """Whether a line is to be on."""

    operation = Operation(
        "line.state",
        "查停复机状态",
        "Ask whether the line is to be on",
        LineRequest,
        StateResponse,
        Repeat.NATIVE,
        errors=NO_LINE,
    )
    reads_only = True

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """What all wishes together say now."""
        reasons = suspended_for(session, _account(session, call))
        return {"active": not reasons, "suspended": reasons}


class RestoreLine:
    """A suspension or resumption is cancelled: its reasons are as they were."""

    operation = Operation(
        "line.restore",
        "还原停复机",
        "Take a suspension or resumption back",
        RestoreRequest,
        StateResponse,
        Repeat.NATIVE,
        errors=NO_LINE,
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """What another order has changed since stays."""
        account = _account(session, call)
        for old in call.args["before"]:
            row = session.get(LineSuspension, (account, old["reason"])) if old else None
            if row is not None and row.changed_by == call.business_key:
                row.is_on, row.issuer = bool(old["is_on"]), old["issuer"]
                row.asked_at, row.changed_at = datetime.fromisoformat(old["asked_at"]), call.now
        session.flush()
        reasons = suspended_for(session, account)
        return {"active": not reasons, "suspended": reasons}


def _account(session: Session, call: LocalCall) -> str:
    """The account of the line, with its rows locked: two orders for one line come one after the other."""
    line = find_line(session, call.args["line"])
    return line.account or line.holder


def _set(session: Session, account: str, reason: str, is_on: bool, call: LocalCall) -> dict[str, Any]:
    """Writes the wish, unless a later one is known; says what was there before, or nothing if nothing changed."""
    asked_at = call.args["asked_at"] or _placed_at(session, call)
    row = session.get(LineSuspension, (account, reason))
    if row is not None and (row.asked_at > asked_at or row.changed_by == call.business_key):
        return {}
    before = {"reason": reason, "is_on": False, "issuer": None, "asked_at": asked_at.isoformat()}
    if row is None:
        row = LineSuspension(account=account, reason=reason)
        session.add(row)
    else:
        before |= {"is_on": row.is_on, "issuer": row.issuer, "asked_at": row.asked_at.isoformat()}
    row.is_on, row.asked_at = is_on, asked_at
    row.issuer = call.args["issuer"] if is_on else None
    row.changed_by, row.changed_at = call.business_key, call.now
    session.flush()
    if is_on:
        _record(session, "LineSuspended", call, line=account, reason=reason)
    else:
        _record(session, "LineResumed", call, line=account, reason=reason)
    return before


def _record(session: Session, kind: str, call: LocalCall, **facts: Any) -> None:
    record(
        session,
        kind,
        at=call.now,
        actor="system",
        business_key=call.business_key,
        instance_id=call.instance_id,
        **facts,
    )


def _wished(session: Session, account: str, before: Sequence[dict[str, Any]]) -> Mapping[str, Any]:
    changed = [one for one in before if one]
    reasons = suspended_for(session, account)
    return {
        "active": not reasons,
        "suspended": reasons,
        "is_changed": bool(changed),
        "before": changed,
    }


def _placed_at(session: Session, call: LocalCall) -> datetime:
    """When the order came in, where the sender gives no time of his own."""
    query = (
        select(ServiceOrder.placed_at)
        .join(ProcessInstance, ProcessInstance.order_id == ServiceOrder.id)
        .where(ProcessInstance.id == call.instance_id)
    )
    return session.scalar(query) or call.now
