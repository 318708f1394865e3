"""The shapes of what partners tell and what they are answered."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from engine.partners.states import REPORTED
from web.api.v1.shapes import Strict


class Window(Strict):
    """When a partner's crew comes."""

    opens = fields.AwareDateTime(data_key="from", required=True)
    closes = fields.AwareDateTime(data_key="to", required=True)


class Proof(Strict):
    """What a partner's crew shows for its work."""

    onu_serial = fields.String(validate=validate.Regexp(r"[A-Z]{4}[0-9A-F]{8}\Z"))
    rx_power_dbm = fields.Float(validate=validate.Range(min=-60, max=10))
    photos = fields.List(
        fields.String(validate=validate.Length(min=1, max=200)), validate=validate.Length(max=20)
    )
    remark = fields.String(validate=validate.Length(max=500))


class PartnerReport(Strict):
    """What a partner tells of an order of ours; `id` is its own, and makes a repeat harmless."""

    id = fields.String(required=True, validate=validate.Regexp(r"[\x21-\x7e]{1,100}\Z"))
    order = fields.String(required=True, validate=validate.Length(max=40))
    state = fields.String(required=True, validate=validate.OneOf(REPORTED))
    at = fields.AwareDateTime(required=True)
    visit = fields.Integer(strict=True, load_default=1, validate=validate.Range(min=1, max=99))
    partner_number = fields.String(load_default=None, validate=validate.Regexp(r"\w[^\x00-\x1f\x7f]{0,63}\Z"))
    window = fields.Nested(Window, load_default=None)
    code = fields.String(load_default=None, validate=validate.Regexp(r"[A-Z0-9_]{1,64}\Z"))
    reason = fields.String(load_default=None, validate=validate.Length(max=500))
    proof = fields.Nested(Proof, load_default=None)

    @validates_schema
    def _complete(self, data: dict[str, Any], **_more: Any) -> None:
        """A refusal needs its code, an appointment its window, done work its proof."""
        needs = {"refused": "code", "appointed": "window", "done": "proof"}.get(data["state"])
        if needs is not None and data[needs] is None:
            raise ValidationError("Missing data for required field.", needs)
        window = data["window"]
        if window is not None and window["closes"] <= window["opens"]:
            raise ValidationError("Not a valid period of time.", "window")


class PartnerReportAnswer(Schema):
    """How the order stands after a message; `applied` false: it came late and changed nothing."""

    message = fields.String(required=True)
    order = fields.String(required=True)
    state = fields.String(required=True)
    visit = fields.Integer(required=True)
    applied = fields.Boolean(required=True)
