"""Shapes of what is done with an order on its way: urging and amending it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from web.api.v1.shapes import Order, Strict


class NewUrge(Strict):
    """Why somebody urges; may be left out."""

    text = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class NewAnswer(Strict):
    """Until when it will be done."""

    promised_at = fields.AwareDateTime(required=True, format="iso")
    text = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class Urge(Schema):
    """An urge. `times`: how many were merged into it within ten minutes. `told`: how many people had the order in hand."""

    number = fields.Integer(required=True)
    times = fields.Integer(required=True)
    text = fields.String(required=True, allow_none=True)
    urged_by = fields.String(required=True)
    first_at = fields.DateTime(required=True)
    last_at = fields.DateTime(required=True)
    told = fields.Integer(required=True)
    tasks = fields.List(fields.String(), required=True)
    answered_at = fields.DateTime(required=True, allow_none=True)
    answered_by = fields.String(required=True, allow_none=True)
    promised_at = fields.DateTime(required=True, allow_none=True)
    answer = fields.String(required=True, allow_none=True)
    escalated_at = fields.DateTime(required=True, allow_none=True)
    broken_at = fields.DateTime(required=True, allow_none=True)


class Urged(Schema):
    """The urge, and the order."""

    urge = fields.Nested(Urge, required=True)
    order = fields.Nested(Order, required=True)


class UrgeList(Schema):
    """All urges of an order, newest first."""

    items = fields.List(fields.Nested(Urge), required=True)
    next = fields.String(required=True, allow_none=True)


class NewAmendment(Strict):
    """Single wishes. A characteristic of null is taken away; `version` is the next one if left out."""

    version = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(min=1))
    item = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=64))
    product = fields.String(load_default=None, allow_none=True, validate=validate.Length(min=1, max=64))
    characteristics = fields.Dict(
        keys=fields.String(validate=validate.Length(max=200)),
        values=fields.String(allow_none=True, validate=validate.Length(max=1000)),
        load_default=dict,
    )
    dry_run = fields.Boolean(truthy={True}, falsy={False}, load_default=False)


class AmendedItem(Schema):
    """What becomes of an item: `in_place`, `process`, `redo` or `pending`."""

    item = fields.String(required=True)
    how = fields.String(required=True)
    names = fields.List(fields.String(), required=True)


class Amended(Schema):
    """The version, what becomes of the items that differ, and the order."""

    version = fields.Integer(required=True)
    items = fields.List(fields.Nested(AmendedItem), required=True)
    order = fields.Nested(Order, required=True)


class Version(Schema):
    """An order as it came once. `document` is null for those who may not see customer data."""

    version = fields.Integer(required=True)
    came_at = fields.DateTime(required=True)
    came_from = fields.String(required=True)
    items = fields.List(fields.Nested(AmendedItem), required=True)
    document = fields.Dict(required=True, allow_none=True)


class VersionList(Schema):
    """All versions of an order that was amended, newest first."""

    items = fields.List(fields.Nested(Version), required=True)
    next = fields.String(required=True, allow_none=True)
