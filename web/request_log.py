"""One line of JSON per request, with the ids that lead to everything else. Bodies and query values are never written."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from datetime import UTC, datetime
from typing import TextIO

from flask import Flask, Response, g, request

log = logging.getLogger("kaitong.request")
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class JsonLines(logging.Formatter):
    """The message is the event's name; `extra={"facts": {...}}` are its values."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _ENCODER.encode(line)


def configure_logging(stream: TextIO, level: int = logging.INFO) -> None:
    """Sends all logs of this process to `stream`; for the composition root."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=level, force=True)


def init_app(app: Flask) -> None:
    """Gives each request an id and writes its line when it is done."""
    app.before_request(_begin)
    app.after_request(_end)


def request_facts() -> dict[str, object]:
    """What every line about this request tells."""
    actor = g.get("actor")
    return {
        "method": request.method,
        "path": request.path,
        "actor": actor.login if actor else None,
        "request_id": g.get("request_id"),
    }


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    if log.isEnabledFor(logging.INFO):
        took = round((time.perf_counter() - g.began) * 1000, 2) if "began" in g else None
        log.info(
            "request.done", extra={"facts": request_facts() | {"status": response.status_code, "ms": took}}
        )
    return response
