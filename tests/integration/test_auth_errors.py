"""What callers read when something is wrong: three shapes, two languages; and how pages show times."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import engine.identity.passwords
import engine.identity.people
import web.auth.gate
import web.errors
from engine.errors import KaitongError
from engine.store import Store
from engine.testing import FakeClock
from tests.integration.auth_site import Site, make_site
from web.i18n import TRANSLATIONS

ENGLISH = {"Accept-Language": "en-GB,en;q=0.8"}
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Site:
    return make_site(store, tmp_path, max_body_bytes=2000)


def test_the_tm_forum_body_has_text_for_its_status(site: Site) -> None:
    answer = site.ask("/tmf-api/x/v4/fail/input", headers=ENGLISH)
    assert answer.status_code == 400
    assert answer.mimetype == "application/json"
    assert answer.json == {
        "@type": "Error",
        "code": "input",
        "reason": "Not valid",
        "message": "The request is not valid: area: 东汀.",
        "status": "400",
    }


def test_our_own_interface_answers_with_problem_json(site: Site) -> None:
    answer = site.ask("/api/v1/fail/input", headers=ENGLISH | {"X-Request-ID": "abcdefgh"})
    assert answer.mimetype == "application/problem+json"
    assert answer.json == {
        "type": "urn:kaitong:error:input",
        "title": "Not valid",
        "status": 400,
        "detail": "The request is not valid: area: 东汀.",
        "code": "input",
        "instance": "urn:kaitong:request:abcdefgh",
        "errors": {"area": ["unknown"]},
    }


def test_chinese_is_not_escaped(site: Site) -> None:
    assert "东汀" in site.ask("/api/v1/fail/input").text


def test_a_page_tells_code_remedy_and_number(site: Site) -> None:
    answer = site.ask("/fail/conflict", headers=ENGLISH | {"X-Request-ID": "abcdefgh"})
    assert answer.status_code == 409
    assert answer.mimetype == "text/html"
    for text in ("Somebody else changed this", "conflict", "Load the page again", "abcdefgh"):
        assert text in answer.text


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({}, "他人刚刚修改了同一内容"),
        (CHINESE, "他人刚刚修改了同一内容"),
        (ENGLISH, "Somebody else changed this"),
        ({"Accept-Language": "fr"}, "他人刚刚修改了同一内容"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_sites(
    site: Site, headers: dict[str, str], text: str
) -> None:
    for path in ("/fail/conflict", "/api/v1/fail/conflict", "/tmf-api/x/v4/fail/conflict"):
        assert text in site.ask(path, headers=headers).text


def test_a_person_reads_the_own_language_in_every_browser(site: Site) -> None:
    site.add("mary", "DP", locale="en")
    browser = site.logged_in("mary")
    assert "Somebody else changed this" in browser.get("/fail/conflict", headers=CHINESE).text


def test_a_machine_is_answered_in_the_language_it_asks_for(site: Site) -> None:
    site.add("crm", "CRM")
    token = site.token("crm")
    assert "他人" in site.ask("/api/v1/fail/conflict", token).text
    assert "Somebody" in site.ask("/api/v1/fail/conflict", token, headers=ENGLISH).text


@pytest.mark.parametrize("path", ["/fail/bug", "/api/v1/fail/bug", "/tmf-api/x/v4/fail/bug"])
def test_an_unexpected_fault_is_logged_once_and_tells_nothing(
    site: Site, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = site.ask(path, headers=ENGLISH | {"X-Request-ID": "abcdefgh"})
    assert answer.status_code == 500
    assert "secret of the database" not in answer.text
    assert "ZeroDivision" not in answer.text
    (record,) = caplog.records
    assert record.exc_info is not None
    assert vars(record)["facts"]["request_id"] == "abcdefgh"


def test_the_error_page_survives_its_own_failure(site: Site) -> None:
    site.app.jinja_env.globals["can"] = None
    site.app.jinja_env.globals["assets_built"] = None
    answer = site.ask("/fail/conflict", headers=ENGLISH)
    assert answer.status_code == 409
    assert "Somebody else changed this" in answer.text


@pytest.mark.parametrize("prefix", ["", "/api/v1", "/tmf-api/x/v4"])
def test_a_request_that_is_too_large_is_refused_in_each_shape(site: Site, prefix: str) -> None:
    site.add("crm", "CRM")
    answer = site.ask(
        f"{prefix}/fail/read", site.token("crm"), method="POST", json={"text": "x" * 3000}, headers=ENGLISH
    )
    assert answer.status_code == 413
    assert "input.too_large" in answer.text
    assert "larger than 2000 bytes" in answer.text


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/api/v1/nothing", "GET", 404, "not_found"),
        ("/tmf-api/x/v4/nothing", "GET", 404, "not_found"),
        ("/api/v1/incident", "DELETE", 405, "method_not_allowed"),
        ("/api/v1/fail/busy", "GET", 503, "http.503"),
        ("/api/v1/fail/read", "POST", 415, "unsupported_media_type"),
    ],
)
def test_errors_of_http_itself_take_the_same_shapes(
    site: Site, path: str, method: str, status: int, code: str
) -> None:
    site.add("crm", "CRM")
    answer = site.ask(path, site.token("crm"), method=method)
    assert (answer.status_code, answer.json["code"]) == (status, code)  # type: ignore[index]


def test_broken_json_is_a_bad_request(site: Site) -> None:
    site.add("crm", "CRM")
    answer = site.ask(
        "/tmf-api/x/v4/fail/read",
        site.token("crm"),
        method="POST",
        data=b"{",
        content_type="application/json",
    )
    assert (answer.status_code, answer.json["code"]) == (400, "input")  # type: ignore[index]


def test_a_wrong_method_names_the_right_ones(site: Site) -> None:
    assert site.ask("/api/v1/incident", method="DELETE").headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_a_failed_schema_names_every_field(site: Site) -> None:
    from marshmallow import Schema, fields
    from marshmallow import ValidationError as Refused

    class Item(Schema):
        action = fields.String(required=True)

    class Order(Schema):
        area = fields.String(required=True)
        items = fields.List(fields.Nested(Item))

    with pytest.raises(Refused) as refused:
        Order().load({"items": [{"action": "add"}, {"x": 1}]})
    known = web.errors.as_kaitong(refused.value)
    assert known.code == "input"
    assert "area: Missing data for required field." in known.facts["detail"]
    assert "items.1.x: Unknown field." in known.facts["detail"]


def test_every_error_of_these_modules_has_its_chinese_text() -> None:
    assert engine.identity.people.LoginTaken
    assert engine.identity.passwords.PasswordTooShort
    folder = TRANSLATIONS / "zh_CN" / "LC_MESSAGES"
    with (folder / "core.po").open("rb") as file:
        texts = {message.id for message in read_po(file) if message.string}
    mine = {"engine.errors", "engine.identity", "web.errors", "web.auth"}
    missing = [
        kind.__name__ for kind in _kinds(KaitongError) if _is_of(kind, mine) and _text(kind) not in texts
    ]
    assert missing == []


def _kinds(root: type[KaitongError]) -> list[type[KaitongError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in _kinds(child))]


def _is_of(kind: type[KaitongError], modules: set[str]) -> bool:
    return any(kind.__module__ == name or kind.__module__.startswith(name + ".") for name in modules)


def _text(kind: type[KaitongError]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


# ---- times


def shown(site: Site, template: str, language: str, **facts: object) -> str:
    with site.app.test_request_context("/open", headers={"Accept-Language": language}):
        return site.app.jinja_env.from_string(template).render(**facts)


@pytest.mark.parametrize(
    ("left", "zh", "en", "level"),
    [
        (timedelta(hours=3, minutes=12), "剩 3 小时 12 分", "3 h 12 min left", "ok"),
        (timedelta(days=2, hours=3, minutes=59), "剩 2 天 3 小时", "2 d 3 h left", "ok"),
        (timedelta(hours=1, minutes=59), "剩 1 小时 59 分", "1 h 59 min left", "warn"),
        (timedelta(seconds=20), "剩 1 分", "1 min left", "warn"),
        (-timedelta(minutes=12, seconds=30), "超时 12 分", "12 min late", "late"),
        (-timedelta(hours=50), "超时 2 天 2 小时", "2 d 2 h late", "late"),
    ],
)
def test_what_is_left_of_a_limit_is_told_in_words(
    site: Site, left: timedelta, zh: str, en: str, level: str
) -> None:
    due_at = site.clock.now() + left
    template = "{% set r = due_at|remaining %}{{ r.text }}/{{ r.level }}"
    assert shown(site, template, "zh", due_at=due_at) == f"{zh}/{level}"
    assert shown(site, template, "en", due_at=due_at) == f"{en}/{level}"


def test_times_are_shown_in_the_zone_of_the_site(site: Site) -> None:
    now = FakeClock().now()
    assert (
        shown(site, "{{ at|local_time }}|{{ at|local_date }}", "en", at=now) == "2026-11-22 09:12|2026-11-22"
    )
    assert shown(site, "{{ at|local_time }}{{ at|local_date }}", "en", at=None) == ""


def test_templates_know_the_language_and_what_the_reader_may_do(site: Site) -> None:
    template = "{{ locale }} {{ can('view_tasks') }} {{ 'somebody' if current_actor else 'nobody' }}"
    assert shown(site, template, "zh-CN") == "zh_CN False nobody"
    assert shown(site, template, "en") == "en False nobody"
