"""What the CRM operations take and give, and what the CRM itself answers."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields, validate

STATES = ("completed", "partial", "failed", "cancelled")
CREDIT_STATES = ("good", "arrears", "blacklist")


def _number(required: bool) -> fields.String:
    check = validate.Regexp(r"\w[^\x00-\x1f\x7f]{0,99}\Z")
    if required:
        return fields.String(required=True, validate=check)
    return fields.String(load_default=None, allow_none=True, validate=check)


def _text(longest: int) -> fields.String:
    return fields.String(load_default=None, allow_none=True, validate=validate.Length(max=longest))


class ReportRequest(Schema):
    """`crm.order.report` takes this: how an order ended, and what the CRM should know about it."""

    order = _number(required=True)
    external_id = _number(required=False)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    code = _text(64)
    message = _text(1000)
    facts = fields.Dict(keys=fields.String(), load_default=None, allow_none=True)


class ReportResponse(Schema):
    """`crm.order.report` gives this."""

    receipt = fields.String(required=True)


class ReportAnswer(Schema):
    """What the CRM says about a report that it has."""

    class Meta:
        unknown = EXCLUDE

    order = fields.String(required=True)
    state = fields.String(required=True)
    receipt = fields.String(required=True)


class AccountRequest(Schema):
    """`crm.account.check` takes this: an account, or the code of a circuit."""

    account = fields.String(required=True, validate=validate.Regexp(r"\w[^\x00-\x1f\x7f]{0,99}\Z"))


class AccountResponse(Schema):
    """`crm.account.check` gives this: how the account stands, and what is owed, in fen."""

    state = fields.String(required=True)
    arrears_fen = fields.Integer(required=True)


class AccountAnswer(Schema):
    """What the CRM says about an account."""

    class Meta:
        unknown = EXCLUDE

    state = fields.String(required=True, validate=validate.OneOf(CREDIT_STATES))
    arrears_fen = fields.Integer(load_default=0)
