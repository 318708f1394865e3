"""What the operations on a whole line take and give: a home line by its OLT and account, a circuit by its router."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

REMEDIES = ("rebind", "reset", "profile", "session")
"""What can be mended from afar: bind the terminal again, restart it, set its profile, end a session that hangs."""


def _word(pattern: str) -> fields.String:
    return fields.String(load_default=None, allow_none=True, validate=validate.Regexp(pattern))


class LineRequest(Schema):
    """`line.diagnose` takes this: all that is known of the line, and nothing where it is unknown."""

    account = _word(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}\Z")
    node = _word(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}\Z")
    port = _word(r"\d{1,2}/\d{1,2}(/\d{1,3})?\Z")
    onu_serial = _word(r"[A-Z0-9]{8,20}\Z")
    vlan = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, 4094))
    speed_mbps = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, 100_000))
    device = _word(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}\Z")
    interface = _word(r"[A-Za-z][A-Za-z0-9/-]{0,39}\Z")


class DiagnoseResponse(Schema):
    """What was found. `ok`: the line works. What was not measured is null."""

    ok = fields.Boolean(required=True)
    segment = fields.String(required=True)
    cause_code = fields.String(required=True, allow_none=True)
    remedy = fields.String(required=True, allow_none=True)
    findings = fields.String(required=True)
    rx_power_dbm = fields.Float(required=True, allow_none=True)
    login_ms = fields.Integer(required=True, allow_none=True)
    loss_percent = fields.Float(required=True, allow_none=True)
    delay_ms = fields.Float(required=True, allow_none=True)


class RepairRequest(LineRequest):
    """`line.repair` takes this besides: what to do."""

    remedy = fields.String(required=True, validate=validate.OneOf(REMEDIES))


class RepairResponse(Schema):
    """What was done."""

    remedy = fields.String(required=True)
