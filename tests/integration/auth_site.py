"""A small site with one view per kind of rule, and a browser and a machine to call it with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, g, jsonify, request
from flask.testing import FlaskClient
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.test import TestResponse

from engine.config import Settings
from engine.errors import BadInput, Conflict
from engine.identity import people, tokens
from engine.store import Store
from engine.testing import FakeClock
from tests.actors import add_roles
from web.app import create_app
from web.auth import allow, allow_anyone, allow_login
from web.auth.views import auth
from web.services import Services

PASSWORD = "correct horse 电池"
NEW_PASSWORD = "another long one 2"


@dataclass
class Site:
    """The application, its clock and its people."""

    app: Flask
    store: Store
    clock: FakeClock
    people: dict[str, int] = field(default_factory=dict)

    def add(self, login: str, *roles: str, **more: Any) -> int:
        with self.store.write() as db:
            if not self.people:
                add_roles(db)
            person = people.create_person(
                db,
                login=login,
                name=more.pop("name", f"{login} the person"),
                roles=roles,
                password=PASSWORD,
                at=self.clock.now(),
                **more,
            )
            self.people[login] = person.id
        return self.people[login]

    def token(self, login: str, days: int = 30) -> str:
        with self.store.write() as db:
            return tokens.create_token(db, self.people[login], "test", days, at=self.clock.now())

    def browser(self) -> Browser:
        return Browser(self.app.test_client())

    def logged_in(self, login: str) -> Browser:
        browser = self.browser()
        answer = browser.log_in(login)
        assert answer.status_code == 302, answer.text
        return browser

    def ask(self, path: str, token: str | None = None, **more: Any) -> TestResponse:
        """A machine's request."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.app.test_client().open(path, headers=headers | more.pop("headers", {}), **more)


@dataclass
class Browser:
    """Keeps its cookies and fills in the CSRF token of the page it has seen last."""

    client: FlaskClient

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def post(self, path: str, token: str | None = None, **form: str) -> TestResponse:
        return self.client.post(path, data={"csrf_token": token or self.csrf()} | form)

    def csrf(self) -> str:
        return self.client.get("/open").json["csrf"]  # type: ignore[index]

    def log_in(self, login: str, password: str = PASSWORD, **form: str) -> TestResponse:
        return self.post("/login", login=login, password=password, **form)

    def cookie(self) -> str:
        cookie = self.client.get_cookie("kaitong_8420")
        return cookie.value if cookie else ""


def make_site(store: Store, folder: Path, *more: Blueprint, **settings: Any) -> Site:
    clock = FakeClock()
    services = Services(Settings(data_dir=folder, **settings), store, clock)
    return Site(create_app(services, [auth, _views(), _pages(), *more]), store, clock)


def _views() -> Blueprint:
    blueprint = Blueprint("tiny", __name__)

    @blueprint.get("/open")
    @allow_anyone
    def opened() -> Any:
        from flask_wtf.csrf import generate_csrf

        return jsonify(csrf=generate_csrf(), actor=g.actor.login if g.actor else None)

    @blueprint.route("/mine", methods=["GET", "POST"])
    @allow_login
    def mine() -> Any:
        return jsonify(login=g.actor.login, name=g.actor.name)

    for prefix in ("", "/api/v1", "/tmf-api/x/v4"):
        _add_kinds(blueprint, prefix)
    return blueprint


def _add_kinds(blueprint: Blueprint, prefix: str) -> None:
    name = re.sub(r"\W", "_", prefix)

    @blueprint.route(f"{prefix}/incident", methods=["GET", "POST"], endpoint=f"incident{name}")
    @allow("retry_incident")
    def incident() -> Any:
        return jsonify(done=True)

    @blueprint.route(f"{prefix}/fail/<how>", methods=["GET", "POST"], endpoint=f"fail{name}")
    @allow_anyone
    def fail(how: str) -> Any:
        if how == "bug":
            raise ZeroDivisionError("the secret of the database")
        if how == "conflict":
            raise Conflict()
        if how == "busy":
            raise ServiceUnavailable()
        if how == "read":
            return jsonify(request.get_json())
        raise BadInput(detail="area: 东汀", errors={"area": ["unknown"]})


def _pages() -> Blueprint:
    """The addresses that the shared page frame links to."""
    blueprint = Blueprint("pages", __name__)
    for name in ("worklist", "orders", "incidents", "sla", "definitions", "inbox", "account", "set_locale"):
        blueprint.add_url_rule(f"/{name}", endpoint=name, view_func=allow_login(lambda: "page"))
    blueprint.app_context_processor(
        lambda: {"nav_counts": {"tasks": 0, "incidents": 0, "late": 0, "inbox": 0}}
    )
    return blueprint


HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
