"""The AAA server (认证平台): opens and closes a customer's account over HTTP, and proves it by a real RADIUS login."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any

from adapters.addresses import Addresses
from adapters.json_http import Ask, JsonHttp, same_order, wire_key
from adapters.network import radius, schemas
from adapters.network.aaa_account import GONE, REFUSED, REFUSED_TEXT, TARGET, AtAaa, ResetSession, SetFields
from adapters.operation import Args, Look, OperationAdapter
from engine.config import Settings
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent
from engine.ports import Call, Observed, Operation, Plan, Repeat, Result, Undo

RADIUS_TARGET = "radius:AAA-1"
TAKEN, LOGIN_FAILED = "AAA_ACCOUNT_TAKEN", "LOGIN_FAILED"
_WANTED = ("account", "plan", "speed_mbps", "vlan", "port")


def derived_password(secret: str, account: str) -> str:
    """The account's password: always the same, so that nobody has to keep it."""
    digest = hmac.new(secret.encode(), b"subscriber\0" + account.encode(), hashlib.sha256)
    return digest.hexdigest()[:20]


class OpenSubscriber(AtAaa):
    """Opens an account. The server recognises our key; another order's account is never taken over."""

    def __init__(self, http: JsonHttp, url: Callable[[], str], timeout_s: float, secret: str) -> None:
        super().__init__(http, url)
        self._secret = secret
        self.operation = Operation(
            name="aaa.subscriber.open",
            title_zh="开通认证账号",
            title_en="Open an AAA account",
            request=schemas.OpenRequest,
            response=schemas.OpenResponse,
            repeat=Repeat.BY_KEY,
            undo=Undo.INVERSE,
            timeout_s=timeout_s,
            errors={REFUSED: REFUSED_TEXT, TAKEN: "账号已被占用 / the account belongs to another order"},
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """What is there now, and what will be."""
        now = self._read(args["account"], deadline)
        wanted = {name: args[name] for name in _WANTED}
        return Plan(
            steps=(f"PUT subscriber {args['account']}: {args['plan']}, {args['speed_mbps']} Mbit/s",),
            before={"subscriber": None if now is None else {name: now[name] for name in _WANTED}},
            after={"subscriber": wanted},
            undo={"operation": "aaa.subscriber.close", "args": {"account": args["account"]}},
            already=now is not None and self._is_wanted(call, args, now),
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Opens the account, then reads it back. An account that this order has opened before is good."""
        password = args["password"] or derived_password(self._secret, args["account"])
        ask = Ask(
            "PUT",
            self._address(args["account"]),
            deadline,
            key=call.key,
            body={name: args[name] for name in (*_WANTED, "active")} | {"password": password},
            secrets=(password,),
        )
        try:
            answer = self._http.send(ask)
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
        """EQUAL when the account was opened by a call of this order and shows what this call wants."""
        now = self._read(args["account"], deadline)
        if now is None:
            return Observed.ABSENT, {}
        if not self._is_wanted(call, args, now):
            return Observed.DIFFERENT, {}
        return Observed.EQUAL, {"account": now["account"], "session_group": now["session_group"]}

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Closes what this very call opened; what an earlier call of the order opened is left to that one."""
        now = self._read(args["account"], deadline)
        if now is None:
            return Result("already", {"account": args["account"]})
        is_mine = now["reference"] == wire_key(call.key)
        if not is_mine and same_order(now["reference"], call.key):
            return Result("already", {"account": args["account"]})
        if not is_mine or not _fits(args, now):
            raise NeedsHuman(target=self.target, detail=f"{args['account']} was changed by somebody else")
        self._delete(args["account"], call.key + ":undo", deadline)
        try:
            left = self._read(args["account"], deadline)
        except AdapterError as e:
            raise OutcomeUnknown(target=self.target, detail="closed, but not read back") from e
        if left is not None:
            raise OutcomeUnknown(target=self.target, detail=f"{args['account']} is still there after closing")
        return Result("done", {"account": args["account"]})

    @staticmethod
    def _is_wanted(call: Call, args: Args, now: Args) -> bool:
        return same_order(now["reference"], call.key) and _fits(args, now)


def _fits(args: Args, now: Args) -> bool:
    return all(now[name] == args[name] for name in _WANTED)


class CloseSubscriber(AtAaa):
    """Closes an account; one that is not there is closed."""

    def __init__(self, http: JsonHttp, url: Callable[[], str], timeout_s: float) -> None:
        super().__init__(http, url)
        self.operation = Operation(
            name="aaa.subscriber.close",
            title_zh="注销认证账号",
            title_en="Close an AAA account",
            request=schemas.CloseRequest,
            response=schemas.CloseResponse,
            repeat=Repeat.NATIVE,
            timeout_s=timeout_s,
            errors={REFUSED: REFUSED_TEXT},
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Whether there is anything to close."""
        now = self._read(args["account"], deadline)
        return Plan(
            steps=(f"DELETE subscriber {args['account']}",),
            before={"subscriber": None if now is None else {name: now[name] for name in _WANTED}},
            after={"subscriber": None},
            already=now is None,
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Closes the account, then looks whether it is gone."""
        answer = self._delete(args["account"], call.key, deadline)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if answer.replayed or answer.status == 404 else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when the account is gone; as long as it is there, nothing has happened."""
        if self._read(args["account"], deadline) is None:
            return Observed.EQUAL, {"account": args["account"]}
        return Observed.ABSENT, {}


class LoginTest(Look):
    """Logs in as the customer's terminal would. Changes nothing, so it may be done as often as one likes."""

    target = RADIUS_TARGET

    def __init__(self, addresses: Addresses, timeout_s: float, secret: str) -> None:
        self._addresses = addresses
        self._secret = secret
        self.operation = Operation(
            name="aaa.login.test",
            title_zh="认证登录测试",
            title_en="Test a login",
            request=schemas.LoginRequest,
            response=schemas.LoginResponse,
            repeat=Repeat.NATIVE,
            timeout_s=timeout_s,
            errors={LOGIN_FAILED: "登录被拒绝 / the login was rejected"},
        )

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Nothing will change."""
        return Plan(steps=(f"RADIUS Access-Request for {args['account']}",), before={}, after={})

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """One login."""
        password = args["password"] or derived_password(self._secret, args["account"])
        login = radius.log_in(
            self._addresses.radius(), self._secret.encode(), args["account"], password, deadline
        )
        if not login.accepted:
            raise Permanent(
                LOGIN_FAILED, target=self.target, detail=f"the login of {args['account']} was rejected"
            )
        wanted, speed = args["speed_mbps"], login.speed_down_mbps
        ok = wanted is None or (speed is not None and speed >= wanted)
        return Result("done", {"login_ms": login.login_ms, "ok": ok, "speed_down_mbps": speed})


def _changes(timeout_s: float) -> tuple[Operation, ...]:
    """The operations that set something of an open account."""
    errors = {REFUSED: REFUSED_TEXT, GONE: "账号不存在 / the AAA server does not have this account"}
    return (
        Operation(
            "aaa.subscriber.change",
            "调整认证账号速率",
            "Change the speed of an AAA account",
            schemas.ChangeRequest,
            schemas.ChangeResponse,
            Repeat.NATIVE,
            Undo.SNAPSHOT,
            timeout_s,
            errors,
        ),
        Operation(
            "aaa.subscriber.move",
            "认证账号割接",
            "Move an AAA account to another line",
            schemas.MoveRequest,
            schemas.MoveResponse,
            Repeat.NATIVE,
            Undo.SNAPSHOT,
            timeout_s,
            errors,
        ),
        Operation(
            "aaa.subscriber.switch",
            "启停认证账号",
            "Switch an AAA account on or off",
            schemas.SwitchRequest,
            schemas.SwitchResponse,
            Repeat.NATIVE,
            Undo.SNAPSHOT,
            timeout_s,
            errors,
        ),
    )


def session_reset(timeout_s: float) -> Operation:
    """What `aaa.session.reset` offers."""
    return Operation(
        "aaa.session.reset",
        "清除认证会话",
        "End a session that hangs",
        schemas.SessionRequest,
        schemas.SessionResponse,
        Repeat.NATIVE,
        timeout_s=timeout_s,
        errors={REFUSED: REFUSED_TEXT, GONE: "账号不存在 / the AAA server does not have this account"},
    )


class AaaAdapter(OperationAdapter):
    """The AAA server of a site."""

    name = "aaa"

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.adapter_timeout_seconds
        self._addresses = Addresses(settings)
        self._http = JsonHttp(TARGET)
        url, secret = self._addresses.aaa_url, str(settings.aaa_secret)
        super().__init__(
            [
                OpenSubscriber(self._http, url, self._timeout, secret),
                CloseSubscriber(self._http, url, self._timeout),
                *(SetFields(self._http, url, operation) for operation in _changes(self._timeout)),
                ResetSession(self._http, url, session_reset(self._timeout)),
                LoginTest(self._addresses, self._timeout, secret),
            ]
        )

    def probe(self) -> Mapping[str, Any]:
        """Whether the provisioning interface answers."""
        started = time.monotonic()
        try:
            ok = self._http.reachable(self._addresses.aaa_url() + "/health", started + self._timeout)
        except AdapterError as e:
            return {"ok": False, "detail": e.text()}
        return {"ok": ok, "ms": round((time.monotonic() - started) * 1000)}

    def close(self) -> None:
        """Gives back connections."""
        self._http.close()
