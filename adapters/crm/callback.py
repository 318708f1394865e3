"""Sends an event to a listener that registered at /hub. Only to hosts that the operator has allowed.

Listeners recognise a repeated event by its `eventId`, so an event whose answer was lost is simply sent again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from adapters.json_http import Ask, JsonHttp
from engine.config import Settings
from engine.errors import NeedsHuman, OutcomeUnknown, Permanent, Retryable

HOST_REFUSED = "CALLBACK_HOST"
REFUSED = "CALLBACK_REFUSED"


class CallbackSender:
    """Posts events; safe for several threads."""

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.adapter_timeout_seconds
        self._hosts = {h.strip().lower().strip("[]") for h in settings.callback_hosts.split(",") if h.strip()}
        self._http = JsonHttp("callback")

    def allowed(self, url: str) -> bool:
        """Whether events may be sent there; for the moment in which a listener registers."""
        return self._host(url) in self._hosts

    def send(self, url: str, body: Mapping[str, Any], event_id: str) -> None:
        """Any 2xx is success. `Permanent` with CALLBACK_HOST or CALLBACK_REFUSED is final; `Retryable` is worth a repeat."""
        host = self._host(url)
        if host not in self._hosts:
            raise Permanent(HOST_REFUSED, target="callback", detail="this host may not be called back")
        deadline = time.monotonic() + self._timeout
        ask = Ask("POST", url, deadline, key=event_id, body={**body, "eventId": event_id})
        try:
            status = self._http.status(ask)
        except OutcomeUnknown as e:
            raise Retryable(target=host, detail="no answer; it may get this event twice") from e
        _judge(status, host)

    def close(self) -> None:
        """Gives back connections."""
        self._http.close()

    @staticmethod
    def _host(url: str) -> str:
        """The host as the HTTP library will see it; empty for an address that could be read in two ways."""
        if any(c in url for c in "\\@") or any(c.isspace() or not c.isprintable() for c in url):
            return ""
        try:
            parsed = parse_url(url)
        except LocationParseError:
            return ""
        if parsed.scheme not in ("http", "https"):
            return ""
        return (parsed.host or "").lower().strip("[]")


def _judge(status: int, host: str) -> None:
    if 200 <= status < 300:
        return
    detail = f"HTTP {status}"
    if status in (401, 403):
        raise NeedsHuman(target=host, detail=f"it refused our access, {detail}")
    if status in (408, 425, 429) or status >= 500:
        raise Retryable(target=host, detail=detail)
    raise Permanent(REFUSED, target=host, detail=detail)
