"""What the partner operations take and give, and what a partner's system answers (docs/reference/partners.md)."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields, validate

STATES = (
    *("received", "accepted", "refused", "appointed", "on_site"),
    *("done", "sent_back", "confirmed", "stopped"),
)
OUTCOMES = ("confirmed", "pending", "late")


def _number() -> fields.String:
    return fields.String(required=True, validate=validate.Regexp(r"\w[^\x00-\x1f\x7f/]{0,63}\Z"))


def _text(longest: int, *, required: bool = False) -> fields.String:
    check = validate.Length(min=1 if required else 0, max=longest)
    if required:
        return fields.String(required=True, validate=check)
    return fields.String(load_default=None, allow_none=True, validate=check)


class OrderRequest(Schema):
    """Which order, at which partner."""

    partner = fields.String(required=True, validate=validate.Regexp(r"[A-Z0-9][A-Z0-9_-]{0,63}\Z"))
    partner_order = _number()


class SendRequest(OrderRequest):
    """`partner.order.send` takes this."""

    product = _text(64, required=True)
    speed_mbps = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, 100_000))
    address = _text(500, required=True)
    wished_window = _text(200)
    customer = _text(200, required=True)
    phone = _text(40, required=True)


class SendResponse(Schema):
    """`partner.order.send` gives this."""

    partner_number = fields.String(required=True)
    state = fields.String(required=True)


class StopRequest(OrderRequest):
    """`partner.order.stop` takes this."""

    reason = _text(500)


class StopResponse(Schema):
    """`partner.order.stop` gives this."""

    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))


class StateResponse(Schema):
    """`partner.order.state` gives this."""

    state = fields.String(required=True)
    partner_number = fields.String(required=True, allow_none=True)
    visit = fields.Integer(required=True)
    proof = fields.Dict(required=True, allow_none=True)


class CheckResponse(Schema):
    """`partner.order.confirm` and `partner.order.send_back` give this."""

    visit = fields.Integer(required=True)


class SendBackRequest(OrderRequest):
    """`partner.order.send_back` takes this: which visit was no good, and why."""

    visit = fields.Integer(required=True, validate=validate.Range(1, 99))
    reason = _text(500, required=True)


class ListRequest(Schema):
    """`partner.orders.list` takes this."""

    partner = fields.String(required=True, validate=validate.Regexp(r"[A-Z0-9][A-Z0-9_-]{0,63}\Z"))


class Listed(Schema):
    """An open order."""

    class Meta:
        unknown = EXCLUDE

    order = fields.String(required=True)
    partner_number = fields.String(required=True)
    state = fields.String(required=True)


class ListResponse(Schema):
    """`partner.orders.list` gives this."""

    orders = fields.List(fields.Nested(Listed), required=True)


class OrderAnswer(Schema):
    """What a partner's system says about an order that it has."""

    class Meta:
        unknown = EXCLUDE

    order = fields.String(required=True)
    partner_number = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    visit = fields.Integer(required=True)
    product = fields.String(required=True)
    address = fields.String(required=True)
    stop = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(OUTCOMES))
    proof = fields.Dict(load_default=None, allow_none=True)


class ListAnswer(Schema):
    """What a partner's system says about all its open orders."""

    class Meta:
        unknown = EXCLUDE

    orders = fields.List(fields.Nested(Listed), required=True)
