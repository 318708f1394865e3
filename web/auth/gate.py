"""In front of every view: who is calling, may he, and did the request really come from our page.

A request with a bearer token never looks at cookies and needs no CSRF token; one with a cookie always needs it for a change.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect

from engine.errors import KaitongError, NotLoggedIn
from engine.identity import sessions, tokens
from web.auth.next_address import path_of
from web.auth.rules import Rule, allow_anyone, rule_of
from web.errors import PasswordChangeNeeded, shape
from web.services import Services

SESSION_ID = "sid"
_BEARER = "bearer "
_FREE_OF_PASSWORD_CHANGE = frozenset({"auth.password", "auth.change_password", "auth.logout"})
_csrf = CSRFProtect()


class RouteWithoutRule(KaitongError):
    """These views do not say who may call them: {endpoints}. Use allow, allow_login or allow_anyone."""

    code = "route_without_rule"


class CookieSessions(SecureCookieSessionInterface):
    """Signed cookies, but none for callers with a bearer token."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return SecureCookieSession() if is_bearer(request) else super().open_session(app, request)

    def save_session(self, app: Flask, session: Any, response: Any) -> None:
        if not is_bearer(request):
            super().save_session(app, session, response)


def init_app(app: Flask, services: Services) -> None:
    """Puts the gate in front of the application."""
    app.session_interface = CookieSessions()
    _csrf.init_app(app)
    if app.has_static_folder:
        allow_anyone(app.view_functions["static"])
    app.before_request(lambda: _gate(app, services))


def check_rules(app: Flask) -> None:
    """Raises `RouteWithoutRule` if a view has none."""
    bare = sorted(endpoint for endpoint, view in app.view_functions.items() if rule_of(view) is None)
    if bare:
        raise RouteWithoutRule(endpoints=", ".join(bare))


def is_bearer(request: Request) -> bool:
    """Whether the caller shows a token."""
    return request.headers.get("Authorization", "")[: len(_BEARER)].lower() == _BEARER


def _gate(app: Flask, services: Services) -> ResponseReturnValue | None:
    g.actor, g.by_bearer, g.must_change_password = None, is_bearer(request), False
    if request.endpoint == "static":
        return None
    _identify(services)
    if request.endpoint is None:
        return None  # no such address or method: the answer follows
    rule = rule_of(app.view_functions[request.endpoint])
    if rule is None:
        raise RouteWithoutRule(endpoints=request.endpoint)
    if rule.needs_login and g.actor is None:
        return _ask_to_log_in()
    if not g.by_bearer:
        _csrf.protect()
    return _check(rule)


def _check(rule: Rule) -> ResponseReturnValue | None:
    if g.must_change_password and rule.needs_login and request.endpoint not in _FREE_OF_PASSWORD_CHANGE:
        if shape() == "page":
            return redirect(url_for("auth.password"))
        raise PasswordChangeNeeded()
    if rule.right is not None:
        g.actor.require(rule.right)
    return None


def _identify(services: Services) -> None:
    if g.by_bearer:
        _identify_token(services, request.headers["Authorization"][len(_BEARER) :].strip())
    elif secret := session.get(SESSION_ID):
        _identify_browser(services, secret)


def _identify_token(services: Services, plain: str) -> None:
    now = services.clock.now()
    login = tokens.authenticate_token(services.store, plain, now)
    if login is None:
        return
    g.actor = login.actor
    if login.is_stale:
        with services.store.write() as db:
            tokens.touch_token(db, login.token_id, now)


def _identify_browser(services: Services, secret: str) -> None:
    now = services.clock.now()
    login = sessions.find_session(services.store, secret, now)
    if login is None:
        session.pop(SESSION_ID, None)
        return
    g.actor, g.must_change_password = login.actor, login.must_change_password
    if login.is_stale:
        with services.store.write() as db:
            sessions.touch(db, secret, now)


def _ask_to_log_in() -> ResponseReturnValue:
    """Pages lead to the login page and back; a fragment makes the whole page go there; interfaces get 401."""
    if shape() != "page":
        raise NotLoggedIn()
    if request.headers.get("HX-Request") == "true":
        back = path_of(request.headers.get("HX-Current-URL"))
        return "", 401, {"HX-Redirect": url_for("auth.login", next=back)}
    back = path_of(request.full_path.rstrip("?")) if request.method in ("GET", "HEAD") else "/"
    return redirect(url_for("auth.login", next=back))
