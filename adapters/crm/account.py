"""Asks the CRM how a customer's account stands (账务检查): good, in arrears, or on the blacklist."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.crm import schemas
from adapters.json_http import Ask, JsonHttp, segment
from adapters.operation import Args, Look
from engine.errors import Retryable
from engine.ports import Call, Operation, Plan, Repeat, Result

UNKNOWN = "CRM_ACCOUNT_UNKNOWN"


class CheckAccount(Look):
    """One question. Changes nothing, so it may be asked as often as one likes."""

    def __init__(
        self, http: JsonHttp, url: Callable[[], str], timeout_s: float, refusals: Mapping[str, str]
    ) -> None:
        self._http, self._url, self.target = http, url, http.target
        self.operation = Operation(
            name="crm.account.check",
            title_zh="查询账务状态",
            title_en="Ask how an account stands",
            request=schemas.AccountRequest,
            response=schemas.AccountResponse,
            repeat=Repeat.NATIVE,
            timeout_s=timeout_s,
            errors={**refusals, UNKNOWN: "账户不存在 / the CRM does not have this account"},
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Nothing will change."""
        return Plan(steps=(f"GET account {args['account']}",), before={}, after={})

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """One question."""
        url = f"{self._url()}/accounts/{segment(args['account'])}"
        answer = self._http.send(Ask("GET", url, deadline))
        said = self.understood(schemas.AccountAnswer, answer.body, Retryable)
        return Result("done", dict(said))
