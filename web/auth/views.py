"""The pages of logging in, logging out and changing the password."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import BadInput, NotAllowed
from engine.identity import people, sessions
from web.auth.gate import SESSION_ID
from web.auth.next_address import HOME, safe_next
from web.auth.rules import allow_anyone, allow_login
from web.i18n import LOCALES
from web.request_log import request_facts
from web.services import services
from web.told import told

auth = Blueprint("auth", __name__)
log = logging.getLogger("kaitong.auth")


@auth.get("/login")
@allow_anyone
def login() -> ResponseReturnValue:
    """The form; `?lang=en` or `?lang=zh_CN` chooses the language of this browser."""
    if request.args.get("lang") in LOCALES:
        session["locale"] = request.args["lang"]
    if g.actor is not None and not g.by_bearer:
        return redirect(safe_next(request.args.get("next")))
    return _login_page(None)


@auth.post("/login")
@allow_anyone
def log_in() -> ResponseReturnValue:
    """Checks the password outside a transaction: it is slow on purpose and must not hold up other writers."""
    me = services()
    name, password = request.form.get("login", ""), request.form.get("password", "")
    with me.store.read() as db:
        facts = people.look_up(db, name)
    is_right = facts.matches(password)
    now = me.clock.now()
    with me.store.write() as db:
        person = people.record_try(db, facts, is_right, now)
        secret = "" if person is None else _open(db, person.id, now)
    if person is None:
        log.warning("login.refused", extra={"facts": request_facts() | {"person": facts.person_id}})
        return _login_page(
            gettext("Login or password is wrong, or the login is shut for some minutes after wrong tries.")
        ), 401
    _begin_cookie(secret)
    log.info("login.done", extra={"facts": request_facts() | {"person": person.id}})
    if person.must_change_password:
        return redirect(url_for("auth.password"))
    return redirect(safe_next(request.form.get("next")))


@auth.post("/logout")
@allow_login
def logout() -> ResponseReturnValue:
    """Ends the login here and on the server; the chosen language stays."""
    me = services()
    if secret := session.get(SESSION_ID):
        with me.store.write() as db:
            sessions.revoke(db, secret, me.clock.now())
    _empty_cookie()
    return redirect(url_for("auth.login"))


@auth.get("/password")
@allow_login
def password() -> ResponseReturnValue:
    """The form for a new password."""
    _only_people()
    return _password_page({})


@auth.post("/password")
@allow_login
def change_password() -> ResponseReturnValue:
    """A new password ends all logins of the person; this browser gets a new one."""
    _only_people()
    me = services()
    errors = _mistakes(request.form)
    if errors:
        return _password_page(errors), 400
    now = me.clock.now()
    try:
        with me.store.write() as db:
            people.set_password(db, g.actor.person_id, request.form["new"], at=now, by=g.actor.login)
            secret = _open(db, g.actor.person_id, now)
    except BadInput as broken:
        return _password_page({"new": told(broken)}), 400
    _begin_cookie(secret)
    return redirect(HOME)


def _mistakes(form: Mapping[str, str]) -> dict[str, str]:
    me = services()
    with me.store.read() as db:
        facts = people.look_up(db, g.actor.login)
    if not facts.matches(form.get("current", "")):
        return {"current": gettext("This is not your present password.")}
    if form.get("new", "") == form.get("current"):
        return {"new": gettext("The new password must differ from the present one.")}
    if form.get("new", "") != form.get("repeat"):
        return {"repeat": gettext("The two new passwords differ.")}
    return {}


def _only_people() -> None:
    if g.by_bearer:
        raise NotAllowed("A token cannot change a password.")


def _open(db: Any, person_id: int, now: datetime) -> str:
    return sessions.open_session(db, person_id, request.user_agent.string, now)


def _begin_cookie(secret: str) -> None:
    """Everything that the cookie held before the login is dropped, so that nobody can plant a session or a CSRF token."""
    _empty_cookie()
    session[SESSION_ID] = secret


def _empty_cookie() -> None:
    language = session.get("locale")
    session.clear()
    if language:
        session["locale"] = language


def _login_page(error: str | None) -> str:
    return render_template(
        "auth/login.html",
        next=safe_next(request.values.get("next")),
        error=error,
        login=request.form.get("login", ""),
    )


def _password_page(errors: Mapping[str, str]) -> str:
    return render_template("auth/password.html", errors=errors, must_change=g.must_change_password)
