"""An HTTP server that answers exactly what a test tells it, byte for byte."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Scripted:
    """What the server will answer to whatever it is asked."""

    def __init__(self) -> None:
        self.url = ""
        self.requests = 0
        self.headers: list[dict[str, str]] = []
        self.reply: tuple[int, bytes, dict[str, str]] = (200, b"{}", {})
        self.drip = False
        self.gone = threading.Event()

    def answers(self, status: int, body: bytes, **headers: str) -> None:
        """Sets the next answers; `_` in a header's name stands for `-`."""
        self.reply = (status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@contextmanager
def scripted_server() -> Iterator[Scripted]:
    """Runs one on a free port."""
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

        def do_GET(self) -> None:
            script.requests += 1
            script.headers.append(dict(self.headers))
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, body, headers = script.reply
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if not script.drip:
                self.wfile.write(body)
                return
            for byte in body:
                self.wfile.write(bytes([byte]))
                if script.gone.wait(0.05):
                    return

        do_POST = do_PUT = do_DELETE = do_GET

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_address[1]}/x"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield script
        finally:
            script.gone.set()
            server.shutdown()
            thread.join()
