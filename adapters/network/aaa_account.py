"""An account at the AAA server: how it is read, and how something of it is set and taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.json_http import Answer, Ask, JsonHttp, segment
from adapters.network import schemas
from adapters.operation import Args, OutsideOperation
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.ports import Call, Observed, Operation, Plan, Result

TARGET = "aaa:AAA-1"
REFUSED, GONE = "AAA_REFUSED", "AAA_NOT_FOUND"
"""What the server says when it refuses, and about an account that it does not have."""
REFUSED_TEXT = "认证平台拒绝该请求 / the AAA server refuses the request"


class AtAaa(OutsideOperation):
    """What all operations at the provisioning interface have in common."""

    target = TARGET

    def __init__(self, http: JsonHttp, url: Callable[[], str]) -> None:
        self._http = http
        self._url = url

    def _address(self, account: str) -> str:
        return f"{self._url()}/subscribers/{segment(account)}"

    def _read(self, account: str, deadline: float) -> Args | None:
        """The account as the server knows it, or None."""
        answer = self._http.send(Ask("GET", self._address(account), deadline, expected=(404,)))
        if answer.status != 404:
            return self.understood(schemas.SubscriberAnswer, answer.body, Retryable)
        if answer.body.get("code") != GONE:
            raise NeedsHuman(target=self.target, detail="it does not know this interface; check its address")
        return None

    def _delete(self, account: str, key: str, deadline: float) -> Answer:
        return self._http.send(Ask("DELETE", self._address(account), deadline, key=key, expected=(404,)))


class SetFields(AtAaa):
    """Sets every field of its request at an open account. Taken back by what held before."""

    def __init__(self, http: JsonHttp, url: Callable[[], str], operation: Operation) -> None:
        super().__init__(http, url)
        self.operation = operation

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """The fields before and after."""
        now = self._read(args["account"], deadline)
        if now is None:
            raise Permanent(GONE, target=self.target, detail=f"{args['account']} is not open")
        before, after = _fields(args, now), _fields(args, args)
        return Plan(
            steps=(f"PATCH subscriber {args['account']}: {before} -> {after}",),
            before=before,
            after=after,
            undo=before,
            already=before == after,
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Sets them, then reads them back."""
        answer = self._set(args, _fields(args, args), call.key, deadline)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL with the wanted values, ABSENT with any other; without the account it cannot be said."""
        now = self._read(args["account"], deadline)
        if now is None:
            return Observed.DIFFERENT, {}
        if _fields(args, now) != _fields(args, args):
            return Observed.ABSENT, {}
        return Observed.EQUAL, dict(args)

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Sets what held before, as long as nobody has set something else since."""
        now = self._read(args["account"], deadline)
        if now is not None and _fields(args, now) == plan.undo:
            return Result("already", {})
        if now is None or plan.undo is None or _fields(args, now) != _fields(args, args):
            raise NeedsHuman(target=self.target, detail=f"{args['account']} was changed by somebody else")
        self._set(args, plan.undo, call.key + ":undo", deadline)
        try:
            back = self._read(args["account"], deadline)
        except AdapterError as e:
            raise OutcomeUnknown(target=self.target, detail="taken back, but not read back") from e
        if back is None or _fields(args, back) != plan.undo:
            raise OutcomeUnknown(target=self.target, detail="taken back, but it does not show")
        return Result("done", {})

    def _set(self, args: Args, values: Mapping[str, Any], key: str, deadline: float) -> Answer:
        return self._http.send(Ask("PATCH", self._address(args["account"]), deadline, key=key, body=values))


class ResetSession(AtAaa):
    """Ends a session that hangs, so that the terminal can log in again. It cannot be brought back, and need not be."""

    def __init__(self, http: JsonHttp, url: Callable[[], str], operation: Operation) -> None:
        super().__init__(http, url)
        self.operation = operation

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Whether a session hangs."""
        now = self._read(args["account"], deadline)
        if now is None:
            raise Permanent(GONE, target=self.target, detail=f"{args['account']} is not open")
        return Plan(
            steps=(f"DELETE session of {args['account']}",),
            before={"stuck": now["session_stuck"]},
            after={"stuck": False},
            already=not now["session_stuck"],
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Ends it, then looks whether it is gone."""
        url = self._address(args["account"]) + "/session"
        answer = self._http.send(Ask("DELETE", url, deadline, key=call.key))
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when no session hangs; without the account it cannot be said."""
        now = self._read(args["account"], deadline)
        if now is None:
            return Observed.DIFFERENT, {}
        if now["session_stuck"]:
            return Observed.ABSENT, {}
        return Observed.EQUAL, {"account": args["account"]}

    def is_stuck(self, account: str, deadline: float) -> bool:
        """Whether a session of the account hangs; one that is not open has none."""
        now = self._read(account, deadline)
        return now is not None and bool(now["session_stuck"])


def _fields(args: Args, account: Args) -> dict[str, Any]:
    """The fields that the operation is about, as they are in `account`."""
    return {name: account[name] for name in args if name != "account"}
