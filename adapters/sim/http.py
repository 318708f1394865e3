"""The simulators' HTTP server: JSON, XML and command lines, on the loopback interface only."""

from __future__ import annotations

import json
import logging
import socket
import socketserver
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.sim.faults import steer
from adapters.sim.state import Simulator
from adapters.sim.wire import NO_SUCH_PATH, Reply, Request, refusal

MAX_BODY_BYTES = 1_048_576
GARBAGE = b"<html><body>502 Bad Gateway</body></html>"
TEXTS = ("application/xml", "application/x-cli")
"""Media that are passed on as text. None of them can be sent by a form of a web page."""
_LOOPBACK_NAMES = ("127.0.0.1", "localhost")

log = logging.getLogger(__name__)


class SimulatorHttpServer(ThreadingHTTPServer):
    """A thread per connection. Stopping it also ends connections that clients keep open."""

    daemon_threads = False  # closing waits for them: nothing of this server outlives it
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], simulators: Mapping[str, Simulator]) -> None:
        self.simulators = simulators
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def answer(self, request: Request) -> Reply:
        """Finds who is asked."""
        match request.path:
            case ("sim", name, *rest) if name in self.simulators:
                told = Request(request.method, tuple(rest), request.key, request.body, request.query)
                return steer(self.simulators[name], told)
            case (name, *rest) if name in self.simulators:
                told = Request(request.method, tuple(rest), request.key, request.body, request.query)
                return self.simulators[name].handle(told)
        return NO_SUCH_PATH

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remembers the connection for `stop`."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets the connection."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a fault of the simulator."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            log.exception("simulator.failed")

    def server_bind(self) -> None:
        """Without the look-up of our own name that the base class does, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def stop(self) -> None:
        """Ends the loop, delayed answers, and open connections; returns when all threads are gone."""
        self.stopping.set()
        self.shutdown()
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it is gone already
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together
    timeout = 120
    server: SimulatorHttpServer

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: effects are in the file, and addresses may name customers."""

    def do_GET(self) -> None:
        """Any method is handled the same way."""
        request = self._request()
        reply = request if isinstance(request, Reply) else self.server.answer(request)
        if reply.wait_s:
            self.server.stopping.wait(reply.wait_s)
        if reply.lost:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        raw, media = _content(reply)
        self.send_response(reply.status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(raw)))
        if reply.replayed:
            self.send_header("Idempotent-Replay", "true")
        self.end_headers()
        self.wfile.write(raw)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _request(self) -> Request | Reply:
        """The request, or why it is not taken. A web page somewhere must not be able to steer us: the host is checked."""
        host = self.headers.get("Host", "").lower()
        if host.rpartition(":")[0] not in _LOOPBACK_NAMES and host not in _LOOPBACK_NAMES:
            self.close_connection = True
            return refusal(403, "NOT_LOCAL", "the simulators answer on the loopback interface only")
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            return refusal(413, "TOO_LARGE", "the body is too long")
        raw = self.rfile.read(int(length))
        media = self.headers.get_content_type()
        if raw and media not in ("application/json", *TEXTS):
            return refusal(415, "NO_JSON", "send application/json")
        try:
            text = raw.decode()
            body = (text if media in TEXTS else json.loads(text)) if raw else None
        except ValueError:
            return refusal(400, "NO_JSON", "the body is no JSON, or not written in UTF-8")
        address = urlsplit(self.path)
        path = tuple(unquote(part) for part in address.path.split("/") if part)
        key, query = self.headers.get("Idempotency-Key", ""), dict(parse_qsl(address.query))
        return Request(self.command, path, key, body, query)


def _content(reply: Reply) -> tuple[bytes, str]:
    """What goes out, and what it is."""
    if reply.garbage:
        return GARBAGE, "text/html"
    if reply.text is not None:
        return reply.text.encode(), reply.media
    return json.dumps(dict(reply.body), ensure_ascii=False).encode(), "application/json"
