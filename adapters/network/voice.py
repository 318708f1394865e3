"""The IMS (语音平台): opens, closes, bars and tests telephone numbers over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from adapters.addresses import Addresses
from adapters.json_http import Answer, Ask, JsonHttp, same_order, segment, wire_key
from adapters.network import voice_schemas as schemas
from adapters.operation import Args, Look, OperationAdapter, OutsideOperation
from engine.config import Settings
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.ports import Call, Observed, Operation, Plan, Repeat, Result, Undo

TARGET = "ims:IMS-1"
TAKEN, UNKNOWN = "NUMBER_TAKEN", "NUMBER_UNKNOWN"
"""A number of another order, and one that the IMS does not have."""
_REFUSED = {"IMS_REFUSED": "语音平台拒绝该请求 / the IMS refuses the request"}


class _AtIms(OutsideOperation):
    """What all of them have in common."""

    target = TARGET

    def __init__(self, http: JsonHttp, url: Callable[[], str], operation: Operation) -> None:
        self._http, self._url, self.operation = http, url, operation

    def _address(self, args: Args) -> str:
        return f"{self._url()}/subscribers/{segment(args['number'])}"

    def _read(self, args: Args, deadline: float) -> Args | None:
        """The number as the IMS knows it, or None."""
        answer = self._http.send(Ask("GET", self._address(args), deadline, expected=(404,)))
        if answer.status != 404:
            return self.understood(schemas.SubscriberAnswer, answer.body, Retryable)
        if answer.body.get("code") != UNKNOWN:
            raise NeedsHuman(target=self.target, detail="it does not know this interface; check its address")
        return None

    def _delete(self, args: Args, key: str, deadline: float) -> Answer:
        return self._http.send(Ask("DELETE", self._address(args), deadline, key=key, expected=(404,)))

    def _expect(self, barring: str | None, args: Args, deadline: float) -> None:
        """Reads back after taking something back."""
        try:
            now = self._read(args, deadline)
        except AdapterError as e:
            raise OutcomeUnknown(target=self.target, detail="taken back, but not read back") from e
        if (None if now is None else now["barring"]) != barring:
            raise OutcomeUnknown(target=self.target, detail="taken back, but it does not show")


class OpenNumber(_AtIms):
    """Opens a number. The IMS recognises our key; another order's number is never taken over."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """What is there now, and what will be."""
        now = self._read(args, deadline)
        return Plan(
            steps=(f"PUT subscriber {args['number']}",),
            before={"subscriber": None if now is None else dict(now)},
            after={"subscriber": dict(args)},
            undo={"operation": "voice.subscriber.close", "args": {"number": args["number"]}},
            already=now is not None and self._is_wanted(call, args, now),
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Opens it, then reads it back. A number that this order has opened before is good."""
        body = {"account": args["account"]}
        try:
            answer = self._http.send(Ask("PUT", self._address(args), deadline, key=call.key, body=body))
        except Permanent as e:
            if e.bpmn_code != TAKEN:
                raise
            seen, output = self.observe(call, args, plan, deadline)
            if seen is not Observed.EQUAL:
                raise
            return Result("already", output)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when a call of this order opened it for the same account."""
        now = self._read(args, deadline)
        if now is None:
            return Observed.ABSENT, {}
        if not self._is_wanted(call, args, now):
            return Observed.DIFFERENT, {}
        return Observed.EQUAL, {"number": now["number"], "sip_uri": now["sip_uri"]}

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Closes what this very call opened; what an earlier call of the order opened is left to that one."""
        now = self._read(args, deadline)
        if now is None:
            return Result("already", {})
        is_mine = now["reference"] == wire_key(call.key)
        if not is_mine and same_order(now["reference"], call.key):
            return Result("already", {})
        if not is_mine or now["account"] != args["account"]:
            raise NeedsHuman(target=self.target, detail=f"{args['number']} was changed by somebody else")
        self._delete(args, call.key + ":undo", deadline)
        self._expect(None, args, deadline)
        return Result("done", {})

    @staticmethod
    def _is_wanted(call: Call, args: Args, now: Args) -> bool:
        return now["account"] == args["account"] and same_order(now["reference"], call.key)


class CloseNumber(_AtIms):
    """Closes a number; one that is not there is closed."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Whether there is anything to close."""
        now = self._read(args, deadline)
        return Plan(
            steps=(f"DELETE subscriber {args['number']}",),
            before={"subscriber": None if now is None else dict(now)},
            after={"subscriber": None},
            already=now is None,
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Closes it, then looks whether it is gone."""
        answer = self._delete(args, call.key, deadline)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed or answer.status == 404 else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when it is gone; as long as it is there, nothing has happened."""
        if self._read(args, deadline) is None:
            return Observed.EQUAL, {"number": args["number"]}
        return Observed.ABSENT, {}


class BarNumber(_AtIms):
    """Says which calls a number may make and take; `none` lifts a bar. Taken back by what held before."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """The barring before and after."""
        now = self._read(args, deadline)
        if now is None:
            raise Permanent(UNKNOWN, target=self.target, detail=f"{args['number']} is not open")
        return Plan(
            steps=(f"PUT barring of {args['number']}: {now['barring']} -> {args['barring']}",),
            before={"barring": now["barring"]},
            after={"barring": args["barring"]},
            undo={"barring": now["barring"]},
            already=now["barring"] == args["barring"],
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Sets it, then reads it back."""
        answer = self._set(args, args["barring"], call.key, deadline)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL with the wanted barring, ABSENT with any other; without the number it cannot be said."""
        now = self._read(args, deadline)
        if now is None:
            return Observed.DIFFERENT, {}
        if now["barring"] != args["barring"]:
            return Observed.ABSENT, {}
        return Observed.EQUAL, {"number": now["number"], "barring": now["barring"]}

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Sets what held before, as long as nobody has set something else since."""
        before = (plan.undo or {}).get("barring")
        now = self._read(args, deadline)
        if now is not None and now["barring"] == before:
            return Result("already", {})
        if now is None or before is None or now["barring"] != args["barring"]:
            raise NeedsHuman(target=self.target, detail=f"{args['number']} was changed by somebody else")
        self._set(args, before, call.key + ":undo", deadline)
        self._expect(before, args, deadline)
        return Result("done", {})

    def _set(self, args: Args, barring: str, key: str, deadline: float) -> Answer:
        address = self._address(args) + "/barring"
        return self._http.send(Ask("PUT", address, deadline, key=key, body={"barring": barring}))


class LineTest(Look, _AtIms):
    """Asks whether the customer's terminal is registered. Changes nothing, so it may be done as often as one likes."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Nothing will change."""
        return Plan(steps=(f"GET subscriber {args['number']}",), before={}, after={})

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """One look."""
        now = self._read(args, deadline)
        if now is None:
            raise Permanent(UNKNOWN, target=self.target, detail=f"{args['number']} is not open")
        is_good = now["registered"] and now["barring"] == "none"
        output = {"number": now["number"], "registered": now["registered"], "ok": is_good}
        return Result("done", output)


def _operations(timeout_s: float) -> Mapping[str, Operation]:
    """What is offered, without who does it."""
    rows = (
        Operation(
            "voice.subscriber.open",
            "开通语音号码",
            "Open a telephone number",
            schemas.OpenRequest,
            schemas.OpenResponse,
            Repeat.BY_KEY,
            Undo.INVERSE,
            errors=_REFUSED | {TAKEN: "号码已被占用 / the number belongs to another order"},
        ),
        Operation(
            "voice.subscriber.close",
            "注销语音号码",
            "Close a telephone number",
            schemas.NumberRequest,
            schemas.CloseResponse,
            Repeat.NATIVE,
            errors=_REFUSED,
        ),
        Operation(
            "voice.subscriber.bar",
            "语音停复机",
            "Bar a telephone number",
            schemas.BarRequest,
            schemas.BarResponse,
            Repeat.NATIVE,
            Undo.SNAPSHOT,
            errors=_REFUSED | {UNKNOWN: "号码不存在 / the IMS does not have this number"},
        ),
        Operation(
            "voice.line.test",
            "语音线路测试",
            "Test a telephone line",
            schemas.NumberRequest,
            schemas.LineTestResponse,
            Repeat.NATIVE,
            errors={UNKNOWN: "号码不存在 / the IMS does not have this number"},
        ),
    )
    return {row.name: replace(row, timeout_s=timeout_s) for row in rows}


class VoiceAdapter(OperationAdapter):
    """The IMS of a site."""

    name = "ims"

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.adapter_timeout_seconds
        self._url = Addresses(settings).ims_url
        self._http = JsonHttp(TARGET)
        offered = _operations(self._timeout)
        super().__init__(
            [
                OpenNumber(self._http, self._url, offered["voice.subscriber.open"]),
                CloseNumber(self._http, self._url, offered["voice.subscriber.close"]),
                BarNumber(self._http, self._url, offered["voice.subscriber.bar"]),
                LineTest(self._http, self._url, offered["voice.line.test"]),
            ]
        )

    def probe(self) -> Mapping[str, Any]:
        """Whether the provisioning interface answers."""
        started = time.monotonic()
        try:
            ok = self._http.reachable(self._url() + "/health", started + self._timeout)
        except AdapterError as e:
            return {"ok": False, "detail": e.text()}
        return {"ok": ok, "ms": round((time.monotonic() - started) * 1000)}

    def close(self) -> None:
        """Gives back connections."""
        self._http.close()
