"""Shapes of what is done with an order on its way: urging it."""

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
