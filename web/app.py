"""Builds the Flask application from its services and blueprints. Knows no screen: the composition root passes them in."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Flask, Response, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import NotFound

from engine.config import Settings
from engine.identity.sessions import LONGEST
from web import assets, errors, i18n, request_log, security
from web.auth import gate
from web.auth.secret_key import secret_key
from web.services import Services


class Json(DefaultJSONProvider):
    """Chinese stays readable, times are ISO 8601, keys keep their order."""

    ensure_ascii = False
    sort_keys = False
    compact = True

    @staticmethod
    def default(o: Any) -> Any:
        if isinstance(o, datetime):
            return o.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(o, date):
            return o.isoformat()
        return DefaultJSONProvider.default(o)


class KaitongFlask(Flask):
    """Flask with our JSON, and with packed files."""

    json_provider_class = Json

    def send_static_file(self, filename: str) -> Response:
        """A file of the build, packed for a browser that can read it, where there is such a file."""
        found = None
        if request.accept_encodings["gzip"]:
            with suppress(NotFound):
                found = super().send_static_file(f"{filename}.gz")  # werkzeug says in the headers what it is
        response = found or super().send_static_file(filename)
        response.vary.add("Accept-Encoding")
        return response


def create_app(services: Services, blueprints: Sequence[Blueprint]) -> Flask:
    """The WSGI application. Raises `RouteWithoutRule` when a view does not say who may call it."""
    app = KaitongFlask("web")
    app.config.from_mapping(_config(services.settings))
    app.extensions["kaitong"] = services
    request_log.init_app(app)
    security.init_app(app, https=services.settings.https)
    i18n.init_app(app, services.settings, services.clock)
    errors.init_app(app)
    gate.init_app(app, services)
    assets.init_app(app)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    gate.check_rules(app)
    return app


def _config(settings: Settings) -> dict[str, Any]:
    cookie = "__Host-kaitong" if settings.https else f"kaitong_{settings.port}"
    hosts = [host.strip() for host in settings.trusted_hosts.split(",") if host.strip()]
    if hosts:
        hosts += [
            settings.host,
            "127.0.0.1",
            "localhost",
        ]  # our own look at /healthz, and a proxy on this machine
    return {
        "SECRET_KEY": secret_key(settings),
        "SESSION_COOKIE_NAME": cookie,
        "SESSION_COOKIE_SECURE": settings.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": LONGEST,
        "MAX_CONTENT_LENGTH": settings.max_body_bytes,
        "MAX_FORM_MEMORY_SIZE": settings.max_body_bytes,
        "TRUSTED_HOSTS": hosts or None,
        "PREFERRED_URL_SCHEME": "https" if settings.https else "http",
        "WTF_CSRF_CHECK_DEFAULT": False,
        "WTF_CSRF_TIME_LIMIT": None,
    }
