"""Moving an instance as far as it goes in one transaction: its own steps, and the service tasks that need no worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bpmn.expressions import ExpressionError
from bpmn.specs import ServiceActivity
from bpmn.specs.nodes import STARTED
from engine.errors import AdapterError, Permanent
from engine.jobs.local import LocalDone, run_local
from engine.ports import LocalCall, LocalOperation
from engine.runtime import catching, variables
from engine.runtime.changes import Change
from engine.runtime.instance import Instance
from engine.runtime.lock import Held
from engine.runtime.token import Token


def key_of(row: Held, token: Token) -> str:
    """What one run of a service task is known by: the same for every attempt."""
    return f"{row.business_key}:{token.task_spec.name}:{token.id}"


class Moving:
    """One command's run. `calls` are the local operations that were done in it."""

    def __init__(
        self, session: Session, local: Mapping[str, LocalOperation], row: Held, top: Instance
    ) -> None:
        self.session, self.local, self.row, self.top = session, local, row, top
        self.calls: list[LocalDone] = []
        self._changes: dict[int, Change] = {}

    def run(self, budget: int) -> bool:
        """Up to `budget` steps; True when everything waits for somebody or something."""
        for _ in range(budget):
            if not self.top.step() and not self._call_local():
                return True
        self._call_local()
        return not (self.top.queue or self.top.arrivals)

    def changes(self) -> Sequence[Change]:
        """How the tokens' rows differ from what stood before the command."""
        self._take()
        return [c for c in self._changes.values() if c.before != c.after]

    def _take(self) -> list[Change]:
        found = self.top.changes.take(self.top)
        for change in found:
            first = self._changes.get(change.token.id, change)
            self._changes[change.token.id] = Change(change.token, first.before, change.after)
        return found

    def _call_local(self) -> bool:
        """Does the local operations of the service tasks that have just started; False where there were none."""
        started = [c.token for c in self._take() if c.after.job and self._operation(c.token) is not None]
        for token in started:
            if token.alive and token._state == STARTED:  # an earlier one may have ended it
                self._call(token)
        return bool(started)

    def _operation(self, token: Token) -> LocalOperation | None:
        return self.local.get(token.task_spec.attributes.get("operation", ""))

    def _call(self, token: Token) -> None:
        top, node, local = self.top, token.task_spec, self._operation(token)
        assert local is not None  # noqa: S101  (chosen by the caller)
        assert isinstance(node, ServiceActivity)  # noqa: S101
        try:
            seen = variables.view(top, token) if node.input_map else {}
            args = {name: expression.evaluate(seen, now=top.now) for name, expression in node.input_map}
            call = LocalCall(
                local.operation.name,
                key_of(self.row, token),
                args,
                self.row.id,
                self.row.business_key,
                top.now,
            )
            done = run_local(self.session, local, call, node.name)
        except ExpressionError as e:
            _fault(top, token, e, "step.input", str(e))
        except Permanent as e:
            self._refused(token, e)
        except AdapterError as e:
            _fault(top, token, e, e.code, str(e))
        except SQLAlchemyError:
            raise  # the transaction itself has failed: the whole command is repeated
        except Exception as e:  # whatever an operation raises becomes an incident at its step
            top.open_incident(token, e)
        else:
            self.calls.append(done)
            top.take_result(token, done.output)

    def _refused(self, token: Token, error: Permanent) -> None:
        """A business no goes to its boundary; where none catches it, it is an incident (docs/decisions/003)."""
        detail = str(error.facts.get("detail", error))
        if catching.lookup(token, error.bpmn_code) is not None:
            self.top.throw_error(token, error.bpmn_code, detail)
        else:
            _fault(self.top, token, error, error.bpmn_code, detail)


def _fault(top: Instance, token: Token, error: Exception, code: str, message: str) -> None:
    top.open_incident(token, error)
    token.internal_data["incident"] = {"code": code, "message": message[:900]}
