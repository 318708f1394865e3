"""What the OLT operations take and give."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

MAX_SPEED_MBPS = 10_000


def _node() -> fields.String:
    return fields.String(required=True, validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}\Z"))


def _port() -> fields.String:
    """`1/3/7`: the third part is the customer's place behind the splitter, and may be left out."""
    return fields.String(required=True, validate=validate.Regexp(r"\d{1,2}/\d{1,2}(/\d{1,3})?\Z"))


def _serial() -> fields.String:
    return fields.String(required=True, validate=validate.Regexp(r"[A-Z0-9]{8,20}\Z"))


def _vlan() -> fields.Integer:
    return fields.Integer(required=True, validate=validate.Range(1, 4094))


def _speed() -> fields.Integer:
    return fields.Integer(required=True, validate=validate.Range(1, MAX_SPEED_MBPS))


class PortRequest(Schema):
    """`olt.service_port.remove` and `olt.multicast.leave` take this."""

    node = _node()
    port = _port()


class ServicePortRequest(PortRequest):
    """`olt.service_port.create` takes this."""

    vlan = _vlan()


class ServicePortResponse(Schema):
    """What is known about a service port."""

    port = fields.String(required=True)
    vlan = fields.Integer(required=True)


class PortResponse(Schema):
    """From which place something is gone."""

    port = fields.String(required=True)


class MulticastRequest(PortRequest):
    """`olt.multicast.join` takes this: the profile names a set of channels."""

    profile = fields.String(required=True, validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}\Z"))


class MulticastResponse(Schema):
    """Which channels a place gets."""

    port = fields.String(required=True)
    profile = fields.String(required=True)


class OnuRequest(PortRequest):
    """`olt.onu.unbind`, `olt.onu.reset` and `olt.line.read` take this."""

    onu_serial = _serial()


class BindRequest(OnuRequest):
    """`olt.onu.bind` takes this."""

    vlan = _vlan()
    speed_mbps = _speed()


class ProfileRequest(OnuRequest):
    """`olt.onu.profile` takes this."""

    speed_mbps = _speed()


class BindResponse(Schema):
    """The number of the ONU at its PON port, and its line profile."""

    onu_id = fields.Integer(required=True)
    line_profile = fields.String(required=True)


class UnbindResponse(Schema):
    """Which ONU is gone."""

    onu_serial = fields.String(required=True)


class ResetResponse(Schema):
    """Which ONU was restarted."""

    onu_id = fields.Integer(required=True)


class LineResponse(Schema):
    """What the OLT measures, and the channels of the place. Without sync there is neither a power nor a distance."""

    sync = fields.Boolean(required=True)
    rx_power_dbm = fields.Float(required=True, allow_none=True)
    distance_m = fields.Integer(required=True, allow_none=True)
    bound = fields.Boolean(required=True)
    port_ok = fields.Boolean(required=True)
    multicast = fields.String(required=True, allow_none=True)
