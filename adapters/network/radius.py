"""One RADIUS login over UDP, to prove that a customer's account really lets them in."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pyrad import packet
from pyrad.dictionary import Dictionary

from engine.errors import NeedsHuman, Retryable

TRIES = 2
"""UDP loses datagrams: the same request is sent this often within the time-out."""
NAS_IDENTIFIER = "kaitong"

_ATTRIBUTES = """\
ATTRIBUTE User-Name 1 string
ATTRIBUTE User-Password 2 string
ATTRIBUTE Service-Type 6 integer
ATTRIBUTE Framed-Protocol 7 integer
ATTRIBUTE Reply-Message 18 string
ATTRIBUTE Class 25 octets
ATTRIBUTE Session-Timeout 27 integer
ATTRIBUTE NAS-Identifier 32 string
ATTRIBUTE Message-Authenticator 80 octets
VENDOR WISPr 14122
BEGIN-VENDOR WISPr
ATTRIBUTE WISPr-Bandwidth-Max-Up 7 integer
ATTRIBUTE WISPr-Bandwidth-Max-Down 8 integer
END-VENDOR WISPr
"""


@cache
def dictionary() -> Any:
    """The attributes that we speak about."""
    return Dictionary(io.StringIO(_ATTRIBUTES))


@dataclass(frozen=True, slots=True)
class Login:
    """What the RADIUS server decided, and how long that took."""

    accepted: bool
    login_ms: int
    speed_down_mbps: float | None


def log_in(address: tuple[str, int], secret: bytes, account: str, password: str, deadline: float) -> Login:
    """Asks for access. No valid answer by `deadline` (monotonic seconds) is `Retryable`: a login changes nothing."""
    request = packet.AuthPacket(
        code=packet.AccessRequest, secret=secret, dict=dictionary(), message_authenticator=True
    )
    request["User-Name"] = account
    request["NAS-Identifier"] = NAS_IDENTIFIER
    request["User-Password"] = request.PwCrypt(password)
    started = time.monotonic()
    reply = _exchange(address, request, deadline)
    login_ms = round((time.monotonic() - started) * 1000)
    if reply.code == packet.AccessAccept:
        return Login(True, login_ms, _speed(reply))
    if reply.code == packet.AccessReject:  # a reject may carry speeds too: they mean nothing
        return Login(False, login_ms, None)
    raise NeedsHuman(target=_name(address), detail=f"RADIUS answered with code {reply.code}")


def _speed(reply: Mapping[str, Any]) -> float | None:
    values = reply.get("WISPr-Bandwidth-Max-Down") or []
    return values[0] / 1_000_000 if values else None


def _exchange(address: tuple[str, int], request: Any, deadline: float) -> Any:
    wire = request.RequestPacket()
    pause = max(deadline - time.monotonic(), 0.0) / TRIES
    try:
        family, kind, protocol, _, peer = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as udp:
            udp.connect(peer)  # only datagrams of this peer reach us
            for _ in range(TRIES):
                udp.send(wire)
                reply = _receive(udp, request, time.monotonic() + pause)
                if reply is not None:
                    return reply
    except OSError as e:
        raise Retryable(target=_name(address), detail=f"RADIUS is not there ({type(e).__name__})") from e
    raise Retryable(target=_name(address), detail="RADIUS did not answer; the shared secret may differ")


def _receive(udp: socket.socket, request: Any, until: float) -> Any | None:
    """The first datagram before `until` that really answers the request; forged and broken ones are passed over."""
    while (left := until - time.monotonic()) > 0:
        udp.settimeout(left)
        try:
            raw = udp.recv(4096)
            reply = request.CreateReply(packet=raw)
            if request.VerifyReply(reply, raw):
                return reply
        except TimeoutError:
            return None
        except packet.PacketError:
            continue
    return None


def _name(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"
