"""Who gets through to a view: rules, rights, tokens, CSRF, and the headers of every answer."""

from __future__ import annotations

import gzip
import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint

from engine.config import Secret
from engine.errors import SettingError
from engine.identity import tokens
from engine.identity.model import ApiToken, Person
from engine.store import Store
from tests.integration.auth_site import Site, make_site
from web.auth import allow, allow_login
from web.auth.gate import RouteWithoutRule


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Site:
    made = make_site(store, tmp_path)
    made.add("lin", "DP")
    made.add("op", "OP")
    return made


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


# ---- rules


def test_a_route_without_a_rule_stops_the_start(store: Store, tmp_path: Path) -> None:
    bare = Blueprint("bare", __name__)
    bare.add_url_rule("/bare", endpoint="forgotten", view_func=lambda: "")
    with pytest.raises(RouteWithoutRule, match=r"bare\.forgotten"):
        make_site(store, tmp_path, bare)


def test_a_rule_cannot_name_a_right_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="retry_incidents"):
        allow("retry_incidents")


def test_a_view_cannot_have_two_rules() -> None:
    with pytest.raises(ValueError, match="two rules"):
        allow("view_tasks")(allow_login(lambda: ""))


def test_a_right_opens_the_view_for_cookies_and_tokens(site: Site) -> None:
    assert site.logged_in("op").get("/incident").json == {"done": True}
    assert site.ask("/api/v1/incident", site.token("op")).json == {"done": True}


def test_a_missing_right_is_refused_in_each_shape(site: Site) -> None:
    browser, token = site.logged_in("lin"), site.token("lin")
    page = browser.get("/incident")
    assert page.status_code == 403
    assert page.mimetype == "text/html"
    assert "您无权执行此操作" in page.text
    assert code(site.ask("/api/v1/incident", token)) == (403, "not_allowed")
    assert code(site.ask("/tmf-api/x/v4/incident", token)) == (403, "not_allowed")
    assert code(browser.get("/api/v1/incident")) == (403, "not_allowed")


def test_pages_lead_to_the_login_and_interfaces_answer_401(site: Site) -> None:
    browser = site.browser()
    assert browser.get("/mine").location == "/login?next=/mine"
    assert browser.post("/mine").location == "/login?next=/"
    for path in ("/api/v1/incident", "/tmf-api/x/v4/incident"):
        answer = site.ask(path, method="POST", json={})
        assert code(answer) == (401, "not_logged_in")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_fragment_sends_the_whole_page_to_the_login(site: Site) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/worklist?page=2"}
    answer = site.ask("/mine", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=/worklist?page%3D2"


# ---- tokens


def test_a_token_needs_no_csrf_token(site: Site) -> None:
    assert site.ask("/mine", site.token("lin"), method="POST").json["login"] == "lin"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(site: Site, scheme: str) -> None:
    answer = site.ask("/mine", headers={"Authorization": f"{scheme} {site.token('lin')}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("wrong", ["kt_wrong", "", "x", "kt_", "ü"])
def test_a_wrong_token_is_nobody_even_beside_a_good_cookie(site: Site, wrong: str) -> None:
    browser = site.logged_in("op")
    answer = browser.get("/api/v1/incident", headers={"Authorization": f"Bearer {wrong}"})
    assert code(answer) == (401, "not_logged_in")


def test_a_request_with_a_token_never_uses_nor_sets_the_cookie(site: Site) -> None:
    browser = site.logged_in("op")
    answer = browser.get("/mine", headers={"Authorization": f"Bearer {site.token('lin')}"})
    assert answer.json["login"] == "lin"
    opened = browser.get("/open", headers={"Authorization": f"Bearer {site.token('lin')}"})
    assert "Set-Cookie" not in opened.headers
    assert browser.get("/mine").json["login"] == "op"  # type: ignore[index]


def test_a_token_ends_by_itself(site: Site) -> None:
    token = site.token("lin", days=1)
    site.clock.advance(timedelta(hours=23, minutes=59))
    assert site.ask("/mine", token).status_code == 200
    site.clock.advance(timedelta(minutes=1))
    assert code(site.ask("/api/v1/incident", token)) == (401, "not_logged_in")


def test_a_revoked_token_is_dead_at_once(site: Site) -> None:
    token = site.token("op")
    assert site.ask("/api/v1/incident", token).status_code == 200
    with site.store.write() as db:
        (row,) = tokens.tokens_of(db, site.people["op"])
        tokens.revoke_token(db, row.id, at=site.clock.now(), by="admin")
    assert code(site.ask("/api/v1/incident", token)) == (401, "not_logged_in")


def test_changed_roles_count_from_the_next_request_on(site: Site) -> None:
    token, browser = site.token("op"), site.logged_in("op")
    assert site.ask("/api/v1/incident", token).status_code == 200
    assert browser.get("/api/v1/incident").status_code == 200
    with site.store.write() as db:
        db.get_one(Person, site.people["op"]).roles = ["FC"]
    assert code(site.ask("/api/v1/incident", token)) == (403, "not_allowed")
    assert code(browser.get("/api/v1/incident")) == (403, "not_allowed")


def test_the_last_use_of_a_token_is_noted_at_most_once_a_minute(site: Site) -> None:
    token = site.token("lin")

    def used_at() -> Any:
        with site.store.read() as db:
            return db.get_one(ApiToken, 1).used_at

    site.ask("/mine", token)
    first = used_at()
    assert first == site.clock.now()
    site.clock.advance(timedelta(seconds=59))
    site.ask("/mine", token)
    assert used_at() == first
    site.clock.advance(timedelta(seconds=1))
    site.ask("/mine", token)
    assert used_at() == site.clock.now()


def test_a_token_cannot_change_the_password(site: Site) -> None:
    assert site.ask("/password", site.token("lin"), method="POST", data={"new": "x"}).status_code == 403


# ---- CSRF


def test_a_change_from_another_site_is_refused(site: Site) -> None:
    browser = site.logged_in("op")
    page = browser.client.post("/incident")
    assert page.status_code == 400
    assert "页面已过期，或请求来自其他网站" in page.text
    assert code(browser.client.post("/api/v1/incident", json={})) == (400, "form_expired")
    assert code(browser.client.post("/tmf-api/x/v4/incident", json={})) == (400, "form_expired")


def test_the_csrf_token_may_come_in_the_form_or_in_a_header(site: Site) -> None:
    browser = site.logged_in("op")
    assert browser.post("/incident").status_code == 200
    header = {"X-CSRFToken": browser.csrf()}
    assert browser.client.post("/api/v1/incident", json={}, headers=header).status_code == 200


def test_the_csrf_token_of_another_person_is_worthless(site: Site) -> None:
    assert site.logged_in("op").post("/incident", token=site.logged_in("lin").csrf()).status_code == 400


def test_logging_in_needs_a_csrf_token_too(site: Site) -> None:
    answer = site.browser().client.post("/login", data={"login": "lin", "password": "x"})
    assert answer.status_code == 400


# ---- headers, settings, log


@pytest.mark.parametrize(
    "path", ["/open", "/login", "/mine", "/nothing", "/fail/bug", "/api/v1/nothing", "/static/nothing.js"]
)
def test_every_answer_carries_the_protecting_headers(site: Site, path: str) -> None:
    headers = site.ask(path).headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers
    if not path.startswith("/static/"):
        assert headers["Cache-Control"] == "no-store"


def test_hsts_is_sent_over_https_only(store: Store, tmp_path: Path) -> None:
    headers = make_site(store, tmp_path, https=True).ask("/open").headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_built_files_are_kept_for_ever_and_others_asked_for_again(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "static" / "dist" / "assets"
    folder.mkdir(parents=True)
    (folder / "app-B3f9_xYz.js").write_text("1")
    (folder / "plain.js").write_text("1")
    site.app.static_folder = str(tmp_path / "static")
    with site.ask("/static/dist/assets/app-B3f9_xYz.js") as hashed:
        assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    with site.ask("/static/dist/assets/plain.js") as plain:
        assert plain.status_code == 200
        assert "immutable" not in plain.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("accepted", "sent"), [("gzip, br", "gzip"), ("br", None), ("gzip;q=0", None), ("", None)]
)
def test_built_files_are_sent_packed_to_those_that_read_it(
    site: Site, tmp_path: Path, accepted: str, sent: str | None
) -> None:
    folder = tmp_path / "static" / "dist" / "assets"
    folder.mkdir(parents=True)
    (folder / "app-B3f9_xYz.css").write_bytes(b"a{}")
    (folder / "app-B3f9_xYz.css.gz").write_bytes(gzip.compress(b"a{}"))
    site.app.static_folder = str(tmp_path / "static")
    with site.ask("/static/dist/assets/app-B3f9_xYz.css", headers={"Accept-Encoding": accepted}) as answer:
        assert answer.headers.get("Content-Encoding") == sent
        assert (gzip.decompress(answer.data) if sent else answer.data) == b"a{}"
        assert answer.mimetype == "text/css"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert "immutable" in answer.headers["Cache-Control"]


def test_a_file_without_a_packed_twin_is_sent_as_it_is(site: Site, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "plain.svg").write_bytes(b"<svg/>")
    site.app.static_folder = str(tmp_path / "static")
    with site.ask("/static/plain.svg", headers={"Accept-Encoding": "gzip"}) as answer:
        assert (answer.status_code, answer.data) == (200, b"<svg/>")
        assert "Content-Encoding" not in answer.headers


def test_a_foreign_host_name_is_refused(store: Store, tmp_path: Path) -> None:
    site = make_site(store, tmp_path, trusted_hosts="kaitong.example, localhost")
    assert site.ask("/open").status_code == 200
    assert site.ask("/open", headers={"Host": "evil.example"}).status_code == 400
    assert code(site.ask("/api/v1/incident", headers={"Host": "evil.example"})) == (400, "input")


def test_a_secret_key_that_could_be_guessed_stops_the_start(store: Store, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="at least 32"):
        make_site(store, tmp_path, secret_key=Secret("changeme"))


def test_each_request_leaves_one_line_without_secrets(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    token = site.token("lin")
    with caplog.at_level(logging.INFO, "kaitong.request"):
        answer = site.ask("/mine?password=hunter2", token, headers={"X-Request-ID": "from-the-crm-1"})
    assert answer.headers["X-Request-ID"] == "from-the-crm-1"
    (line,) = [record for record in caplog.records if record.message == "request.done"]
    facts = dict(vars(line)["facts"])
    assert facts.pop("ms") >= 0
    assert facts == {
        "method": "GET",
        "path": "/mine",
        "actor": "lin",
        "request_id": "from-the-crm-1",
        "status": 200,
    }


def test_log_lines_are_json(caplog: pytest.LogCaptureFixture) -> None:
    from web.request_log import JsonLines

    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "request.done", None, None)
    record.facts = {"path": "/工单", "status": 200}
    line = JsonLines().format(record)
    assert json.loads(line) | {"at": ""} == {
        "at": "",
        "level": "info",
        "event": "request.done",
        "path": "/工单",
        "status": 200,
    }
    assert "/工单" in line


def test_a_request_id_with_control_characters_is_not_taken_over(site: Site) -> None:
    given = "bad id; <script>"
    assert site.ask("/open", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given
