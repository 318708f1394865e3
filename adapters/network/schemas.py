"""What the AAA operations take and give, and what the AAA server itself answers."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields, validate

MAX_SPEED_MBPS = 4000
"""A WISPr rate is a 32-bit number of bit/s."""


def _account() -> fields.String:
    return fields.String(required=True, validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}\Z"))


def _password() -> fields.String:
    """Printable ASCII, at most what a RADIUS packet can hide."""
    check = validate.Regexp(r"[\x20-\x7e]{1,128}\Z")
    return fields.String(load_default=None, allow_none=True, load_only=True, validate=check)


def _speed(required: bool = True) -> fields.Integer:
    check = validate.Range(1, MAX_SPEED_MBPS)
    if required:
        return fields.Integer(required=True, validate=check)
    return fields.Integer(load_default=None, allow_none=True, validate=check)


def _optional_text(longest: int) -> fields.String:
    return fields.String(load_default=None, allow_none=True, validate=validate.Length(1, longest))


class OpenRequest(Schema):
    """`aaa.subscriber.open` takes this. Without a password the adapter derives one."""

    account = _account()
    password = _password()
    plan = fields.String(required=True, validate=validate.Length(1, 64))
    speed_mbps = _speed()
    vlan = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, 4094))
    port = _optional_text(64)
    active = fields.Boolean(load_default=True)


class OpenResponse(Schema):
    """`aaa.subscriber.open` gives this."""

    account = fields.String(required=True)
    session_group = fields.String(required=True)


class CloseRequest(Schema):
    """`aaa.subscriber.close` takes this."""

    account = _account()


class CloseResponse(Schema):
    """`aaa.subscriber.close` gives this."""

    account = fields.String(required=True)


class ChangeRequest(Schema):
    """`aaa.subscriber.change` takes this."""

    account = _account()
    plan = fields.String(required=True, validate=validate.Length(1, 64))
    speed_mbps = _speed()


class ChangeResponse(Schema):
    """`aaa.subscriber.change` gives this."""

    account = fields.String(required=True)
    plan = fields.String(required=True)
    speed_mbps = fields.Integer(required=True)


class MoveRequest(Schema):
    """`aaa.subscriber.move` takes this; without VLAN and port the account may log in from anywhere."""

    account = _account()
    vlan = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, 4094))
    port = _optional_text(64)


class MoveResponse(Schema):
    """`aaa.subscriber.move` gives this."""

    account = fields.String(required=True)
    vlan = fields.Integer(required=True, allow_none=True)
    port = fields.String(required=True, allow_none=True)


class SwitchRequest(Schema):
    """`aaa.subscriber.switch` takes this."""

    account = _account()
    active = fields.Boolean(required=True)


class SwitchResponse(Schema):
    """`aaa.subscriber.switch` gives this."""

    account = fields.String(required=True)
    active = fields.Boolean(required=True)


class SessionRequest(Schema):
    """`aaa.session.reset` takes this."""

    account = _account()


class SessionResponse(Schema):
    """`aaa.session.reset` gives this."""

    account = fields.String(required=True)


class LoginRequest(Schema):
    """`aaa.login.test` takes this. With a speed, `ok` also needs that speed."""

    account = _account()
    password = _password()
    plan = _optional_text(64)
    speed_mbps = _speed(required=False)


class LoginResponse(Schema):
    """`aaa.login.test` gives this."""

    login_ms = fields.Integer(required=True)
    ok = fields.Boolean(required=True)
    speed_down_mbps = fields.Float(required=True, allow_none=True)


class SubscriberAnswer(Schema):
    """What the AAA server says about an account; `reference` is the key of the request that opened it."""

    class Meta:
        unknown = EXCLUDE

    account = fields.String(required=True)
    plan = fields.String(required=True)
    speed_mbps = fields.Integer(required=True)
    vlan = fields.Integer(required=True, allow_none=True)
    port = fields.String(required=True, allow_none=True)
    session_group = fields.String(required=True)
    active = fields.Boolean(load_default=True)
    session_stuck = fields.Boolean(load_default=False)
    reference = fields.String(required=True, allow_none=True)
