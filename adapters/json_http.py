"""One request to an outside system over HTTP, with every way in which it can go wrong turned into the contract's errors.

The question behind each rule is only: may the request have changed something over there? There is no retry here.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
from urllib3.exceptions import HTTPError, NewConnectionError

from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable

MAX_ANSWER_BYTES = 1_048_576
CONNECT_SHARE = 0.3
"""The part of the remaining time that a connection may take; the answer may take the rest."""
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: a status that the caller expects, and a JSON object."""

    status: int
    body: Mapping[str, Any]
    replayed: bool = False
    """The other side knew our key and did nothing new."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request. `secrets` never appear in an error; statuses in `expected` come back as an `Answer`."""

    method: str
    url: str
    deadline: float
    """On the monotonic clock, in seconds."""
    key: str | None = None
    body: Mapping[str, Any] | None = None
    expected: Collection[int] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    bearer: str = field(default="", repr=False)
    """A token that opens the other side's door."""
    target: str = ""
    """Who is asked, where one client serves many; otherwise the client's own target."""
    text: bytes | None = None
    """Sent as it is, instead of JSON."""
    media: str = "application/json"
    """What `text` is."""
    reads: bool = False
    """It changes nothing, although its method could."""
    takes_list: bool = False
    """The answer is a list; it comes as `items` of the body."""

    @property
    def uncertain(self) -> type[AdapterError]:
        """The error for an answer that is lost or makes no sense: a read can simply be repeated."""
        return Retryable if self.reads or self.method == "GET" else OutcomeUnknown


def wire_key(key: str) -> str:
    """The key as it travels in a header: visible ASCII, whatever names a diagram uses."""
    return quote(key, safe=":/@!*'(),")


def same_order(reference: str | None, key: str) -> bool:
    """Whether what a target keeps as the reference of a request came from the order of `key`, whichever its step."""
    return bool(reference) and str(reference).partition(":")[0] == wire_key(key).partition(":")[0]


def segment(text: str) -> str:
    """Text as one part of a path."""
    return quote(text, safe="")


class JsonHttp:
    """A client for one target. Safe for several threads: each has its own connection."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[requests.Session] = []

    def send(self, ask: Ask) -> Answer:
        """The answer to `ask`, for any 2xx and any expected status; everything else is raised."""
        response = self._exchange(ask)
        with response:
            raw = self._content(ask, response)
        body = _json_object(raw, ask.takes_list)
        status = response.status_code
        if body is not None and (200 <= status < 300 or status in ask.expected):
            return Answer(status, body, response.headers.get("Idempotent-Replay") == "true")
        raise self._refusal(ask, status, body, response.headers)

    def text(self, ask: Ask) -> bytes:
        """The body of any 2xx answer, whatever it is; everything else is raised."""
        response = self._exchange(ask)
        with response:
            raw = self._content(ask, response)
        if 200 <= response.status_code < 300:
            return raw
        raise self._refusal(ask, response.status_code, _json_object(raw), response.headers)

    def status(self, ask: Ask) -> int:
        """Only the status of the answer; nothing of its content is read."""
        with self._exchange(ask) as response:
            return response.status_code

    def reachable(self, url: str, deadline: float) -> bool:
        """Whether something answers HTTP there, whatever it says."""
        try:
            return self.status(Ask("GET", url, deadline)) < 500
        except AdapterError:
            return False

    def close(self) -> None:
        """Gives back the connections of all threads."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
            self._local = threading.local()
        for session in sessions:
            session.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False  # neither proxies nor .netrc passwords of the account we run under
            session.headers.update(
                {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "kaitong"}
            )
            with self._lock:
                self._sessions.append(session)
                self._local.session = session
        return session

    def _exchange(self, ask: Ask) -> requests.Response:
        left = ask.deadline - time.monotonic()
        if left <= 0:
            raise Retryable(target=ask.target or self.target, detail="no time was left to send the request")
        headers = {} if ask.key is None else {"Idempotency-Key": wire_key(ask.key)}
        if ask.bearer:
            headers["Authorization"] = f"Bearer {ask.bearer}"
        if ask.text is not None:
            headers["Content-Type"] = ask.media
        try:
            return self._session().request(
                ask.method,
                ask.url,
                data=ask.text,
                json=ask.body,
                headers=headers,
                timeout=(left * CONNECT_SHARE, left * (1 - CONNECT_SHARE)),
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as e:
            raise self._no_answer(ask, e) from e

    def _content(self, ask: Ask, response: requests.Response) -> bytes:
        """The body, unless it is longer than we take or comes in drops until the time is over."""
        raw = bytearray()
        try:
            while chunk := response.raw.read1(16_384, decode_content=False):  # what has come so far
                raw += chunk
                if len(raw) > MAX_ANSWER_BYTES:
                    raise ask.uncertain(target=ask.target or self.target, detail="the answer is too long")
                if time.monotonic() > ask.deadline:
                    raise ask.uncertain(target=ask.target or self.target, detail="the answer came too slowly")
        except HTTPError as e:
            raise ask.uncertain(target=ask.target or self.target, detail="the answer broke off") from e
        return bytes(raw)

    def _no_answer(self, ask: Ask, error: requests.RequestException) -> AdapterError:
        detail = type(error).__name__
        if isinstance(error, requests.exceptions.SSLError):
            return NeedsHuman(target=ask.target or self.target, detail="its certificate was not accepted")
        if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
            return Retryable(target=ask.target or self.target, detail="no connection")
        if isinstance(error, (requests.Timeout, requests.ConnectionError)):
            return ask.uncertain(target=ask.target or self.target, detail=f"no answer ({detail})")
        return NeedsHuman(
            target=ask.target or self.target, detail=f"the request could not be built ({detail})"
        )

    def _refusal(
        self, ask: Ask, status: int, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> AdapterError:
        detail = _detail(status, body, ask.secrets)
        if status in (401, 403):
            return NeedsHuman(target=ask.target or self.target, detail=f"our access was refused, {detail}")
        if status in (429, 503):
            pause = headers.get("Retry-After", "")
            return Retryable(
                target=ask.target or self.target,
                detail=detail,
                retry_after=float(pause) if pause.isdecimal() else None,
            )
        if 300 <= status < 400:
            return NeedsHuman(
                target=ask.target or self.target, detail=f"it wants to send us elsewhere, {detail}"
            )
        if body is None or status >= 500 or status < 400 or status == 408:
            return ask.uncertain(target=ask.target or self.target, detail=detail)
        code = _code(body)
        if code:
            return Permanent(code, target=ask.target or self.target, detail=detail)
        return NeedsHuman(target=ask.target or self.target, detail=f"it did not take our request, {detail}")


def _never_connected(error: requests.RequestException) -> bool:
    """requests has one class for "refused" and "reset later"; only the first is surely before sending."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _json_object(raw: bytes, takes_list: bool = False) -> Mapping[str, Any] | None:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if takes_list and isinstance(value, list):
        return {"items": value}
    return value if isinstance(value, dict) else None


def _code(body: Mapping[str, Any]) -> str | None:
    code = body.get("code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _detail(status: int, body: Mapping[str, Any] | None, secrets: Collection[str]) -> str:
    """Status, code and text of a refusal for people, without what must stay secret."""
    if body is None:
        return f"HTTP {status} without JSON"
    text = " ".join(str(body[k]) for k in ("code", "message") if isinstance(body.get(k), str))
    for secret in secrets:
        text = text.replace(secret, "***")
    return f"HTTP {status} {text[:200]}".strip()
