"""The reader's own account: roles, language, logins and tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import BadInput, KaitongError, NotAllowed, NotFound
from engine.identity import people, sessions, tokens
from engine.identity.model import ApiToken
from engine.resources.queries import area_names
from tasks.field.crews import crew_names
from web.auth import allow_login
from web.auth.gate import SESSION_ID
from web.pages import words
from web.pages.blueprint import pages
from web.pages.browser_name import browser_name
from web.pages.refusals import flash_error
from web.services import services

DAYS, MOST_DAYS = 90, 3650


@pages.get("/account")
@allow_login
def account() -> ResponseReturnValue:
    """Who the reader is here, and by which ways in."""
    return _page(request.args.get("person"))


@pages.post("/account/logins/end-others")
@allow_login
def end_other_logins() -> ResponseReturnValue:
    """Ends all logins of the reader but this one."""
    me, secret = services(), session.get(SESSION_ID)
    if secret:
        with me.store.write() as db:
            sessions.revoke_others(db, g.actor.person_id, secret, me.clock.now())
        flash(gettext("All other logins have ended."), "success")
    return redirect(url_for("pages.account"), 303)


@pages.post("/account/tokens")
@allow_login
def create_token() -> ResponseReturnValue:
    """Makes a token and shows it this once; for another person only with the right for it."""
    me, wanted = services(), request.form.get("login", "").strip()
    if g.by_bearer:
        raise NotAllowed("A token cannot make tokens.")
    try:
        name, days = request.form.get("name", "").strip(), _days(request.form.get("days", ""))
        if not name:
            raise BadInput(gettext("Give the token a name, so that you know it again."))
        with me.store.write() as db:
            owner = _person(db, wanted)
            plain = tokens.create_token(db, owner, name, days, at=me.clock.now(), by=g.actor.login)
    except KaitongError as refusal:
        flash_error(refusal)
        return _page(wanted, typed=dict(request.form)), refusal.http_status
    return _page(wanted, new_token={"name": name, "text": plain})


@pages.post("/account/tokens/<int:token_id>/revoke")
@allow_login
def revoke_token(token_id: int) -> ResponseReturnValue:
    """Ends a token at once: one's own, or with the right for it anybody's."""
    me = services()
    with me.store.write() as db:
        if tokens.owner_of(db, token_id) != g.actor.person_id and not g.actor.can("manage_tokens"):
            raise NotFound(what="token", id=token_id)
        tokens.revoke_token(db, token_id, at=me.clock.now(), by=g.actor.login)
    flash(gettext("The token is ended."), "success")
    return redirect(url_for("pages.account", person=request.form.get("login") or None), 303)


def _page(
    login: str | None, *, new_token: dict[str, str] | None = None, typed: dict[str, str] | None = None
) -> str:
    me, now = services(), services().clock.now()
    with me.store.read() as db:
        areas, crews, posts = area_names(db), crew_names(db), people.role_names(db)
        logins = sessions.sessions_of(db, g.actor.person_id, now, session.get(SESSION_ID))
        try:
            owner = _person(db, login or "")
        except KaitongError as refusal:
            if typed is None:
                flash_error(refusal)
            login, owner = None, g.actor.person_id
        found = [_token(token) for token in tokens.tokens_of(db, owner) if _holds(token, now)]
    return render_template(
        "account.html",
        roles=[words.say(*posts.get(code, (code, code))) for code in sorted(g.actor.roles)],
        areas=[words.named(areas, area) for area in sorted(g.actor.areas)],
        crew=words.named(crews, g.actor.crew_id),
        sessions=[replace(one, agent=browser_name(one.agent)) for one in logins],
        tokens=found,
        token_login=login if owner != g.actor.person_id else None,
        new_token=new_token,
        typed=typed or {"name": "", "days": str(DAYS)},
    )


def _person(db: Any, login: str) -> int:
    """The reader, or another person for who may manage tokens."""
    if not login or people.normal_login(login) == g.actor.login:
        own: int = g.actor.person_id
        return own
    g.actor.require("manage_tokens")
    found = people.find_person(db, login)
    if found is None:
        raise NotFound(what="person", id=login)
    return found.id


def _days(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    if not (is_number and 1 <= int(text) <= MOST_DAYS):
        raise BadInput(gettext("Say for how many days the token holds: 1 to %(most)s.", most=MOST_DAYS))
    return int(text)


def _holds(token: ApiToken, now: Any) -> bool:
    return token.revoked_at is None and token.expires_at > now


def _token(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "created_at": token.created_at,
        "used_at": token.used_at,
        "expires_at": token.expires_at,
    }
