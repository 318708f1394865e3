"""Reports to the CRM how an order ended (报竣): completed, partial, failed or cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from adapters.addresses import Addresses
from adapters.crm import schemas
from adapters.crm.account import CheckAccount
from adapters.json_http import Ask, JsonHttp, segment, wire_key
from adapters.operation import Args, OperationAdapter, OutsideOperation
from engine.config import Settings
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Retryable
from engine.ports import Call, Observed, Operation, Plan, Repeat, Result

TARGET = "crm:CRM-1"
REFUSED = "CRM_REFUSED"
UNKNOWN = "CRM_REPORT_UNKNOWN"
"""What the CRM says about a key that it has never seen."""


class ReportOrder(OutsideOperation):
    """Sends one report. The CRM recognises our key and can be asked for it."""

    target = TARGET

    def __init__(self, http: JsonHttp, url: Callable[[], str], timeout_s: float) -> None:
        self._http = http
        self._url = url
        self.operation = Operation(
            name="crm.order.report",
            title_zh="向 CRM 报竣",
            title_en="Report an order to the CRM",
            request=schemas.ReportRequest,
            response=schemas.ReportResponse,
            repeat=Repeat.BY_KEY,
            timeout_s=timeout_s,
            errors={REFUSED: "CRM 拒收 / the CRM refuses the report"},
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Whether the CRM already has this report."""
        known = self._read(call.key, deadline)
        return Plan(
            steps=(f"POST report of {_subject(args)}: {args['state']}",),
            before={"report": None if known is None else dict(known)},
            after={"report": {"order": args["order"], "state": args["state"]}},
            already=known is not None and _same(args, known),
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Sends the report, then asks for it by its key."""
        answer = self._http.send(
            Ask(
                "POST",
                f"{self._url()}/orders/{segment(_subject(args))}/report",
                deadline,
                key=call.key,
                body={
                    "order": args["order"],
                    "externalId": args["external_id"],
                    "state": args["state"],
                    "code": args["code"],
                    "message": args["message"],
                    "facts": args["facts"] or {},
                },
            )
        )
        self.understood(schemas.ReportAnswer, answer.body, OutcomeUnknown)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when the CRM has a report with our key that says the same."""
        known = self._read(call.key, deadline)
        if known is None:
            return Observed.ABSENT, {}
        if not _same(args, known):
            return Observed.DIFFERENT, {}
        return Observed.EQUAL, {"receipt": known["receipt"]}

    def _read(self, key: str, deadline: float) -> Args | None:
        url = f"{self._url()}/reports/{segment(wire_key(key))}"
        answer = self._http.send(Ask("GET", url, deadline, expected=(404,)))
        if answer.status != 404:
            return self.understood(schemas.ReportAnswer, answer.body, Retryable)
        if answer.body.get("code") != UNKNOWN:
            raise NeedsHuman(target=self.target, detail="it does not know this interface; check its address")
        return None


def _subject(args: Args) -> str:
    """The order in the CRM's own words, where it gave us a number."""
    return str(args["external_id"] or args["order"])


def _same(args: Args, known: Args) -> bool:
    return bool(known["order"] == args["order"] and known["state"] == args["state"])


class CrmAdapter(OperationAdapter):
    """The CRM that orders come from."""

    name = "crm"

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.adapter_timeout_seconds
        self._addresses = Addresses(settings)
        self._http = JsonHttp(TARGET)
        url = self._addresses.crm_url
        super().__init__(
            [
                ReportOrder(self._http, url, self._timeout),
                CheckAccount(self._http, url, self._timeout, {REFUSED: "CRM 拒绝 / the CRM refuses"}),
            ]
        )

    def probe(self) -> Mapping[str, Any]:
        """Whether the CRM's report interface answers."""
        started = time.monotonic()
        try:
            ok = self._http.reachable(self._addresses.crm_url() + "/health", started + self._timeout)
        except AdapterError as e:
            return {"ok": False, "detail": e.text()}
        return {"ok": ok, "ms": round((time.monotonic() - started) * 1000)}

    def close(self) -> None:
        """Gives back connections."""
        self._http.close()
