"""The local operation by which one process starts another that goes on by itself, such as the follow-up after the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from engine.deploy.definitions import active_version
from engine.errors import NeedsHuman, NotFound
from engine.ports import LocalCall, Operation, Repeat

if TYPE_CHECKING:
    from engine.runtime.kernel import Kernel


class StartRequest(Schema):
    """Which process, what it is told, and what its business key ends with."""

    process = fields.String(required=True)
    values = fields.Dict(keys=fields.String(), load_default=dict)
    suffix = fields.String(load_default="F")


class StartResponse(Schema):
    """The business key of the new instance."""

    key = fields.String(required=True)


class StartProcess:
    """Starts the active version of a process, in the transaction of the step; it moves with its own job."""

    operation = Operation(
        "process.start", "启动流程", "Start a process", StartRequest, StartResponse, Repeat.NATIVE
    )
    reads_only = False

    def __init__(self) -> None:
        self.kernel: Kernel | None = None
        """Set where both are put together: the kernel knows its operations from the beginning."""

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """The new instance belongs to no order: whatever it does, a closed order stays closed."""
        process, key = call.args["process"], f"{call.business_key}-{call.args['suffix']}"
        if self.kernel is None:
            raise NeedsHuman(target="process", detail="no kernel to start it with")
        try:
            version = active_version(session, process)
        except NotFound as e:
            raise NeedsHuman(target="process", detail=f"{process} is not deployed") from e
        self.kernel.start(
            session, version.id, key, call.args["values"], at=call.now, actor="system", advance=False
        )
        return {"key": key}
