"""How the text of a request gets to a network device: the devices' own languages know nothing of it.

The embedded transport posts it over HTTP to the simulated devices; each request stands alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from adapters.json_http import Ask, JsonHttp, segment
from engine.errors import NeedsHuman, Permanent


class Transport(Protocol):
    """Brings the bytes of a request to a device and the bytes of its reply back. No retry, no look inside."""

    def exchange(self, device: str, request: bytes, deadline: float, reads: bool) -> bytes:
        """The reply. No connection is `Retryable`; no answer too when it only `reads`, otherwise `OutcomeUnknown`."""

    def reachable(self, deadline: float) -> bool:
        """Whether somebody is there."""

    def close(self) -> None:
        """Gives back connections."""


class HttpTransport:
    """Posts a request to `{base address}/{device}`."""

    def __init__(self, kind: str, url: Callable[[], str], media: str) -> None:
        self._kind, self._url, self._media = kind, url, media
        self._http = JsonHttp(kind)

    def exchange(self, device: str, request: bytes, deadline: float, reads: bool) -> bytes:
        """See `Transport`."""
        target = f"{self._kind}:{device}"
        url = f"{self._url()}/{segment(device)}"
        ask = Ask("POST", url, deadline, text=request, media=self._media, reads=reads, target=target)
        try:
            return self._http.text(ask)
        except Permanent as e:  # devices say no inside their own language, never by HTTP
            raise NeedsHuman(target=target, detail=f"it is not reached there: {e.facts['detail']}") from e

    def reachable(self, deadline: float) -> bool:
        """Whether something answers at the base address."""
        return self._http.reachable(self._url() + "/health", deadline)

    def close(self) -> None:
        """Gives back connections."""
        self._http.close()
