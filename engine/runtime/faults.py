"""What goes wrong inside a step: the token stays, in ERROR, with what is to be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpmn.specs.nodes import COMPLETED, ERROR, FUTURE, READY, STARTED
from engine.runtime.token import Token

if TYPE_CHECKING:
    from engine.runtime.instance import Instance


def open_incident(top: Instance, token: Token, error: Exception, phase: str) -> None:
    """`phase` says what a retry repeats: enter, run, leave or route. Raises the error where no token is left to hold it."""
    if not token.alive:
        raise error
    text = f"{type(error).__name__}: {error}"[:900]
    token.internal_data["incident"] = {
        "code": str(getattr(error, "code", "step.failed")),
        "message": text,
    }
    token.internal_data["phase"] = phase
    token.internal_data["faults"] = token.internal_data.get("faults", 0) + 1
    top.note("failed", token)
    token._set_state(ERROR)


def retry(top: Instance, token: Token) -> None:
    """Repeats the phase that failed."""
    token.internal_data.pop("incident", None)
    phase = token.internal_data.pop("phase", "run")
    for child in list(token.children):
        if phase == "enter":
            top.kill(child)
    if phase == "leave":
        token._set_state(STARTED)
        top.touched[top.subprocesses[token.id]] = None
    elif phase == "route":
        token._state = COMPLETED
        top.touch(token)
        top.guard(token, "route", lambda: token.task_spec._on_complete(token))
    else:
        token._set_state(FUTURE if phase == "enter" else READY)
