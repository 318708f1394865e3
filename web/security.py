"""The headers of every answer: what the browser may load, show inside, remember and tell others."""

from __future__ import annotations

import re

from flask import Flask, Response, request

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


def init_app(app: Flask, *, https: bool) -> None:
    """Sets the headers, with HSTS when pages are served over HTTPS."""
    headers = dict(_HEADERS)
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000"

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(headers)
        _cache_rule(response)
        return response


def _cache_rule(response: Response) -> None:
    """Built files never change under their name; everything else may hold data and is not kept, unless its view says so."""
    is_static = request.path.startswith("/static/") and response.status_code in (200, 304)
    if is_static and _HASHED.fullmatch(request.path):
        response.headers["Cache-Control"] = _FOR_EVER
    elif not is_static:
        response.headers.setdefault("Cache-Control", "no-store")
