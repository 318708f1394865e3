"""What becomes of a line: another product with what was reserved for it, or its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import delete
from sqlalchemy.orm import Session

from engine.events import record
from engine.lines.finding import NO_LINE, Line, find_line, product_of
from engine.lines.model import LineProduct, LineSuspension
from engine.ports import LocalCall, Operation, Repeat
from engine.resources import holdings
from engine.resources.holdings import Wish

REPLACED = ("port", "onu")
"""Of these a line has one: what an order brings takes the place of what was there."""
DEVICES = {"good": "free", "broken": "faulty", "lost": "retired"}


class ChangeRequest(Schema):
    """The line, its new product, and the terminal that is there now, where it was changed."""

    line = fields.String(required=True)
    product = fields.String(required=True)
    speed_mbps = fields.Integer(required=True)
    onu_serial = fields.String(load_default=None, allow_none=True)


class ChangeResponse(Schema):
    """What it was before."""

    before = fields.String(required=True, allow_none=True)


class EndRequest(Schema):
    """The line, what became of its terminal, and which kinds only are given up where the line goes on."""

    line = fields.String(required=True)
    device = fields.String(load_default="good", validate=validate.OneOf(list(DEVICES)))
    kinds = fields.List(fields.String(), load_default=None, allow_none=True)


class EndResponse(Schema):
    """How many things were given back."""

    resources = fields.Integer(required=True)


class ChangeLine:
    """The line has another product from now on; what the order has reserved is the line's, what it replaces is free."""

    operation = Operation(
        "line.change",
        "变更在网产品",
        "Change the line",
        ChangeRequest,
        ChangeResponse,
        Repeat.NATIVE,
        errors=NO_LINE,
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat finds nothing more to take over."""
        line = find_line(session, call.args["line"])
        before = product_of(session, line)[0]
        _take_over(session, line, call)
        values = {name: call.args[name] for name in ("product", "speed_mbps")}
        row = LineProduct(account=line.account, changed_by=call.business_key, changed_at=call.now, **values)
        session.merge(row)
        _record(session, "LineChanged", line, call, before=before, after=call.args["product"])
        session.flush()
        return {"before": before}


class EndLine:
    """The line is given up (拆机): everything is given back, or of a service of it only what it alone had."""

    operation = Operation(
        "line.end", "释放线路", "End the line", EndRequest, EndResponse, Repeat.NATIVE, errors=NO_LINE
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Accounts and numbers cool first; a terminal that did not come back is retired."""
        line, kinds = find_line(session, call.args["line"]), call.args["kinds"]
        rows = [row for row in line.held if kinds is None or row.kind in kinds]
        for row in rows:
            if row.kind == "onu":
                holdings.move(session, row, DEVICES[call.args["device"]], None, None, call.now)
            else:
                holdings.give_back(session, row, call.now)
        if kinds is None:
            for table in (LineProduct, LineSuspension):
                session.execute(delete(table).where(table.account == line.account))
        names = [holdings.label(row) for row in rows]
        _record(session, "LineEnded" if kinds is None else "LineReduced", line, call, resources=names)
        return {"resources": len(rows)}


def _take_over(session: Session, line: Line, call: LocalCall) -> None:
    """What the order has reserved; a terminal that it drew and did not use goes back to its store."""
    now, used = call.now, call.args["onu_serial"]
    for row in holdings.held_by(session, call.business_key):
        if row.state != "reserved":
            continue
        if row.kind == "onu" and used and row.name != used:
            holdings.move(session, row, "free", None, None, now)
            continue
        for old in line.held:
            if row.kind in REPLACED and old.kind == row.kind:
                holdings.give_back(session, old, now)
        holdings.move(session, row, "in_use", Wish(line.holder, now, "", call.key), None, now)


def _record(session: Session, kind: str, line: Line, call: LocalCall, **facts: Any) -> None:
    record(
        session,
        kind,
        at=call.now,
        actor="system",
        business_key=call.business_key,
        instance_id=call.instance_id,
        line=line.account or line.holder,
        **facts,
    )
