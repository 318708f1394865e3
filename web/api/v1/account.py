"""The caller himself, and his tokens."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from engine.identity import tokens
from engine.identity.model import ApiToken
from engine.identity.rights import RIGHTS
from web.api.reading import loaded
from web.api.times import stamp
from web.api.v1 import shapes
from web.api.v1.route import Route, listing
from web.auth import allow_login
from web.services import services

_NEW = shapes.NewToken()


@allow_login
def show_me() -> ResponseReturnValue:
    """Who is calling, and what he may do."""
    actor = g.actor
    return jsonify(
        id=actor.person_id,
        login=actor.login,
        name=actor.name,
        locale=actor.locale,
        roles=sorted(actor.roles),
        rights=[right for right in RIGHTS if actor.can(right)],
        areas=sorted(actor.areas),
        crew=actor.crew_id,
        employer=actor.employer,
    )


@allow_login
def list_tokens() -> ResponseReturnValue:
    """The caller's tokens, newest first, those that have ended too."""
    with services().store.read() as session:
        return jsonify(listing([_json(t) for t in tokens.tokens_of(session, g.actor.person_id)], None))


@allow_login
def create_token() -> ResponseReturnValue:
    """Makes a token for the caller himself; its text is shown this once."""
    me = services()
    wish = loaded(_NEW)
    person, at = g.actor.person_id, me.clock.now()
    with me.store.write() as session:
        plain = tokens.create_token(session, person, wish["name"], wish["days"], at=at, by=g.actor.login)
        answer = {"token": plain, "item": _json(tokens.tokens_of(session, person)[0])}
    return jsonify(answer), 201


@allow_login
def revoke_token(token_id: int) -> ResponseReturnValue:
    """Ends a token of the caller at once; who manages tokens may end those of others."""
    me = services()
    owner = None if g.actor.can("manage_tokens") else g.actor.person_id
    with me.store.write() as session:
        token = tokens.get_token(session, token_id, owner)
        tokens.revoke_token(session, token.id, at=me.clock.now(), by=g.actor.login)
    return "", 204


def _json(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "created_at": stamp(token.created_at),
        "expires_at": stamp(token.expires_at),
        "used_at": stamp(token.used_at),
        "revoked_at": stamp(token.revoked_at),
    }


ROUTES = (
    Route("GET", "/me", show_me, shapes.Me),
    Route("GET", "/tokens", list_tokens, shapes.TokenList),
    Route("POST", "/tokens", create_token, shapes.CreatedToken, body=shapes.NewToken, status=201),
    Route("DELETE", "/tokens/<id:token_id>", revoke_token, None, status=204),
)
