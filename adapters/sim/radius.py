"""The simulators' RADIUS server: answers Access-Request (PAP) from the AAA simulator's tables, over UDP."""

from __future__ import annotations

import secrets
import socketserver
import threading
from typing import Any

from pyrad import packet

from adapters.network.radius import dictionary
from adapters.sim.aaa import LOGIN, AaaSimulator, Access

USER_PASSWORD = 2
"""By number: what travels is encrypted and no text yet."""


class SimulatorRadiusServer(socketserver.ThreadingUDPServer):
    """A thread per datagram, so that a delayed answer delays only itself."""

    daemon_threads = False
    max_packet_size = 4096

    def __init__(self, address: tuple[str, int], aaa: AaaSimulator, secret: bytes) -> None:
        self.aaa = aaa
        self.secret = secret
        self.stopping = threading.Event()
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken datagram is passed over, as RADIUS wants it."""

    def stop(self) -> None:
        """Ends the loop and delayed answers; returns when all threads are gone."""
        self.stopping.set()
        self.shutdown()
        self.server_close()


class _Handler(socketserver.BaseRequestHandler):
    server: SimulatorRadiusServer

    def handle(self) -> None:
        """Answers, or stays silent for what RADIUS ignores: other packets, a wrong secret, a lost answer."""
        raw, udp = self.request
        asked = packet.AuthPacket(packet=raw, secret=self.server.secret, dict=dictionary())
        if asked.code != packet.AccessRequest:
            return
        if asked.message_authenticator and not asked.verify_message_authenticator():
            return
        account = asked["User-Name"][0]
        fault = self.server.aaa.take_fault(LOGIN, account)
        kind = fault.kind if fault else None
        if kind in ("unavailable", "lost_answer", "lost_request"):
            return
        if fault and kind == "delay":
            self.server.stopping.wait(fault.seconds)
        if kind == "garbage":
            answer = secrets.token_bytes(40)
        else:
            access = Access(False) if kind == "refuse" else self._decide(asked, account)
            answer = _encode(asked, access)
        udp.sendto(answer, self.client_address)

    def _decide(self, asked: Any, account: str) -> Access:
        password = asked.PwDecrypt(asked[USER_PASSWORD][0]) if USER_PASSWORD in asked else ""
        return self.server.aaa.authenticate(account, password)


def _encode(asked: Any, access: Access) -> bytes:
    reply = asked.CreateReply()
    reply.code = packet.AccessAccept if access.accepted else packet.AccessReject
    for name, value in access.attributes.items():
        reply.AddAttribute(name, value)
    wire: bytes = reply.ReplyPacket()
    return wire
