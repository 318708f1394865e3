"""The shapes of mass faults, planned work and alarms."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from web.api.v1.shapes import Strict

SEVERITIES = ("critical", "major", "minor", "warning", "indeterminate", "cleared")


def _text(most: int) -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1, max=most))


def _maybe() -> fields.String:
    return fields.String(required=True, allow_none=True)


def _maybe_time() -> fields.DateTime:
    return fields.DateTime(required=True, allow_none=True)


class NewMassFault(Strict):
    """Where, and what is known; without `pon` the whole device is meant."""

    node = _text(64)
    pon = fields.String(load_default="", validate=validate.Length(max=64))
    description = _text(500)


class MassFaultTicket(Schema):
    """A ticket of a mass fault; `result`: waiting, good, bad, left, ended."""

    ticket = fields.String(required=True)
    line = fields.String(required=True)
    status = fields.String(required=True)
    result = fields.String(required=True)
    joined_at = fields.DateTime(required=True)
    tested_at = _maybe_time()


class MassFault(Schema):
    """`state`: proposed, open, restored, closed, dismissed, withdrawn. `children` counts tickets by result."""

    id = fields.String(required=True)
    state = fields.String(required=True)
    node = fields.String(required=True)
    pon = fields.String(required=True)
    area = _maybe()
    origin = fields.String(required=True)
    description = fields.String(required=True)
    told = _maybe()
    expected_at = _maybe_time()
    cause_code = _maybe()
    segment = _maybe()
    proposed_at = fields.DateTime(required=True)
    opened_at = _maybe_time()
    restored_at = _maybe_time()
    ended_at = _maybe_time()
    children = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class MassFaultDetail(MassFault):
    """One, with its tickets."""

    tickets = fields.List(fields.Nested(MassFaultTicket), required=True)


class MassFaultList(Schema):
    """A page of mass faults."""

    items = fields.List(fields.Nested(MassFault), required=True)
    next = _maybe()


class NewPlannedWork(NewMassFault):
    """Work on the network; it is announced 72 hours ahead."""

    opens = fields.AwareDateTime(data_key="from", required=True)
    closes = fields.AwareDateTime(data_key="until", required=True)


class PlannedWork(Schema):
    """Announced work."""

    id = fields.String(required=True)
    state = fields.String(required=True)
    node = fields.String(required=True)
    pon = fields.String(required=True)
    description = fields.String(required=True)
    opens = fields.DateTime(data_key="from", required=True)
    closes = fields.DateTime(data_key="until", required=True)


class PlannedWorkList(Schema):
    """All that has not ended, the next first."""

    items = fields.List(fields.Nested(PlannedWork), required=True)
    next = _maybe()


class AlarmReport(Strict):
    """What a platform tells of an alarm; `severity` cleared ends it. `root`: the id of the alarm that caused it."""

    id = fields.String(required=True, validate=validate.Regexp(r"[\x21-\x7e]{1,100}\Z"))
    object = _text(100)
    kind = _text(200)
    severity = fields.String(required=True, validate=validate.OneOf(SEVERITIES))
    text = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))
    root = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))


class Alarm(Schema):
    """`state`: waiting (it may clear by itself), raised, cleared, suppressed (its root is acted on)."""

    number = fields.Integer(required=True)
    id = fields.String(required=True)
    source = fields.String(required=True)
    object = fields.String(required=True)
    kind = fields.String(required=True)
    severity = fields.String(required=True)
    text = _maybe()
    state = fields.String(required=True)
    raises = fields.Integer(required=True)
    result = _maybe()
    raised_at = fields.DateTime(required=True)
    cleared_at = _maybe_time()


class AlarmList(Schema):
    """A page of alarms, newest first."""

    items = fields.List(fields.Nested(Alarm), required=True)
    next = _maybe()
