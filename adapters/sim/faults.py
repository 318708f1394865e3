"""The ways in which a simulator can be told to fail, and the requests of `/sim/<name>/…` that switch them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, ValidationError, fields, validate

from adapters.sim.wire import Reply, Request, refusal

if TYPE_CHECKING:
    from adapters.sim.state import Simulator

KINDS = ("refuse", "delay", "lost_answer", "lost_request", "unavailable", "garbage")
ALWAYS = -1


@dataclass(frozen=True, slots=True)
class Fault:
    """A switch that has just met a request."""

    kind: str
    code: str | None
    seconds: float


def _times(value: int) -> None:
    if value != ALWAYS and value < 1:
        raise ValidationError("use a number of requests, or -1 for all")


class FaultRequest(Schema):
    """What `POST /sim/<name>/faults` takes."""

    fault = fields.String(required=True, validate=validate.OneOf(KINDS))
    times = fields.Integer(load_default=1, validate=_times)
    operation = fields.String(load_default=None, allow_none=True)
    subject = fields.String(load_default=None, allow_none=True)
    code = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(r"[A-Z0-9_]{1,64}\Z"))
    seconds = fields.Float(load_default=10.0, validate=validate.Range(0, 3600))


def steer(simulator: Simulator, request: Request) -> Reply:
    """Answers `/sim/<name>/faults`, `/effects`, `/state`, and what this simulator alone can be told.

    `request.path` holds what follows the name.
    """
    match (request.method, *request.path):
        case ("POST", "faults"):
            return _switch_on(simulator, request.body)
        case ("GET", "faults"):
            return Reply(200, {"faults": simulator.faults()})
        case ("DELETE", "faults"):
            simulator.clear_faults()
            return Reply(200, {"faults": []})
        case ("GET", "effects"):
            return Reply(200, {"effects": simulator.effects(), "repeats": simulator.repeats()})
        case ("GET", "state"):
            return Reply(200, simulator.state())
    return simulator.arrange(request)


def _switch_on(simulator: Simulator, body: Any) -> Reply:
    if not isinstance(body, dict):
        return refusal(400, "BAD_FAULT", "send a JSON object")
    try:
        number = simulator.switch_on(body)
    except ValidationError as e:
        return refusal(400, "BAD_FAULT", str(e.messages_dict))
    return Reply(201, {"id": number})
