"""What the router operations take and give."""

from __future__ import annotations

import ipaddress

from marshmallow import Schema, ValidationError, fields, validate


def _address(value: str) -> None:
    """An interface's own address with its prefix, as `192.0.2.1/30`."""
    try:
        ipaddress.IPv4Interface(value)
    except ValueError:
        raise ValidationError("write it like 192.0.2.1/30") from None
    if "/" not in value:
        raise ValidationError("write it like 192.0.2.1/30")


class AccessRequest(Schema):
    """`router.access.remove` takes this."""

    device = fields.String(required=True, validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}\Z"))
    interface = fields.String(required=True, validate=validate.Regexp(r"[A-Za-z][A-Za-z0-9/-]{0,39}\Z"))
    vlan = fields.Integer(required=True, validate=validate.Range(1, 4094))


class ConfigureRequest(AccessRequest):
    """`router.access.configure` takes this."""

    vrf = fields.String(
        load_default=None, allow_none=True, validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\Z")
    )
    ip = fields.String(load_default=None, allow_none=True, validate=_address)
    bandwidth_mbps = fields.Integer(required=True, validate=validate.Range(1, 100_000))


class CircuitRequest(AccessRequest):
    """`router.circuit.test` takes this. What is not given is not judged, but nothing may be lost."""

    max_loss_percent = fields.Float(load_default=0.0, validate=validate.Range(0, 100))
    max_delay_ms = fields.Float(load_default=None, allow_none=True, validate=validate.Range(0))


class ConfigureResponse(Schema):
    """What stands on the router now."""

    interface = fields.String(required=True)
    config = fields.String(required=True)


class RemoveResponse(Schema):
    """What is gone."""

    interface = fields.String(required=True)


class CircuitResponse(Schema):
    """What was measured; no delay when nothing came back."""

    loss_percent = fields.Float(required=True)
    delay_ms = fields.Float(required=True, allow_none=True)
    ok = fields.Boolean(required=True)
