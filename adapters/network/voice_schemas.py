"""What the voice operations take and give, and what the IMS itself answers."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields, validate

LEVELS = ("none", "outgoing", "all")


def _number() -> fields.String:
    return fields.String(required=True, validate=validate.Regexp(r"\+?\d{3,15}\Z"))


class NumberRequest(Schema):
    """`voice.subscriber.close` and `voice.line.test` take this."""

    number = _number()


class OpenRequest(NumberRequest):
    """`voice.subscriber.open` takes this."""

    account = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 64))


class BarRequest(NumberRequest):
    """`voice.subscriber.bar` takes this."""

    barring = fields.String(load_default="all", validate=validate.OneOf(LEVELS))


class OpenResponse(Schema):
    """`voice.subscriber.open` gives this."""

    number = fields.String(required=True)
    sip_uri = fields.String(required=True)


class CloseResponse(Schema):
    """`voice.subscriber.close` gives this."""

    number = fields.String(required=True)


class BarResponse(Schema):
    """`voice.subscriber.bar` gives this."""

    number = fields.String(required=True)
    barring = fields.String(required=True)


class LineTestResponse(Schema):
    """`voice.line.test` gives this: `ok` when the terminal is registered and nothing is barred."""

    number = fields.String(required=True)
    registered = fields.Boolean(required=True)
    ok = fields.Boolean(required=True)


class SubscriberAnswer(Schema):
    """What the IMS says about a number; `reference` is the key of the request that opened it."""

    class Meta:
        unknown = EXCLUDE

    number = fields.String(required=True)
    account = fields.String(required=True, allow_none=True)
    sip_uri = fields.String(required=True)
    barring = fields.String(required=True, validate=validate.OneOf(LEVELS))
    registered = fields.Boolean(load_default=False)
    reference = fields.String(required=True, allow_none=True)
