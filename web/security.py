"""The headers of every answer: what the browser may load, show inside, remember and tell others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask import Flask

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HASHED = re.compile(r"/static/dist/.*-[A-Za-z0-9_-]{8,}\.\w+")
_FOR_EVER = "public, max-age=31536000, immutable"


Header = tuple[str, str]


def init_app(app: Flask, *, https: bool) -> None:
    """Sets the headers, with HSTS when pages are served over HTTPS."""
    app.wsgi_app = _Headers(app.wsgi_app, https)  # type: ignore[method-assign]


class _Headers:
    """Outside of Flask, where ten headers are one list more and not ten searches in the answer's own."""

    def __init__(self, app: Any, https: bool) -> None:
        self._app = app
        self._fixed: list[Header] = list(_HEADERS.items())
        if https:
            self._fixed.append(("Strict-Transport-Security", "max-age=31536000"))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")

        def begin(status: str, headers: list[Header], *error: Any) -> Any:
            return start_response(status, _with_cache_rule(path, status, headers) + self._fixed, *error)

        answer: Iterable[bytes] = self._app(environ, begin)
        return answer


def _with_cache_rule(path: str, status: str, headers: list[Header]) -> list[Header]:
    """Built files never change under their name; everything else may hold data and is not kept, unless its view says so."""
    is_static = path.startswith("/static/") and status[:3] in ("200", "304")
    if is_static and _HASHED.fullmatch(path):
        return [*(h for h in headers if h[0] != "Cache-Control"), ("Cache-Control", _FOR_EVER)]
    if is_static or any(name == "Cache-Control" for name, _ in headers):
        return headers
    return [*headers, ("Cache-Control", "no-store")]
