"""Logging in and out, how long a login lasts, and changing the password."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from engine.identity import people, sessions
from engine.store import Store
from tests.integration.auth_site import MINUTE, NEW_PASSWORD, PASSWORD, Site, make_site


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Site:
    made = make_site(store, tmp_path)
    made.add("lin", "DP")
    return made


def test_login_with_the_right_password_opens_the_pages(site: Site) -> None:
    browser = site.browser()
    answer = browser.log_in("Lin ")
    assert (answer.status_code, answer.location) == (302, "/")
    assert browser.get("/mine").json == {"login": "lin", "name": "lin the person"}


@pytest.mark.parametrize(("login", "password"), [("lin", "wrong password"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_login_gets_one_answer_that_does_not_say_what_was_wrong(
    site: Site, login: str, password: str
) -> None:
    browser = site.browser()
    answer = browser.log_in(login, password)
    assert answer.status_code == 401
    assert "登录名或密码错误，或因多次输错而暂时锁定几分钟。" in answer.text
    assert password not in answer.text or not password
    assert browser.get("/mine").location == "/login?next=/mine"


def test_after_five_wrong_passwords_even_the_right_one_waits(site: Site) -> None:
    browser = site.browser()
    for _ in range(5):
        browser.log_in("lin", "wrong password")
    assert browser.log_in("lin").status_code == 401
    site.clock.advance(timedelta(seconds=30))
    assert browser.log_in("lin").status_code == 302


def test_a_deactivated_person_is_out_at_once(site: Site) -> None:
    browser = site.logged_in("lin")
    with site.store.write() as db:
        people.set_active(db, site.people["lin"], False, at=site.clock.now(), by="admin")
    assert browser.get("/mine").status_code == 302
    assert browser.log_in("lin").status_code == 401


def test_login_goes_back_to_the_page_that_was_wanted(site: Site) -> None:
    browser = site.browser()
    wanted = browser.get("/mine?state=open&page=2")
    assert wanted.location == "/login?next=/mine?state%3Dopen%26page%3D2"
    assert 'value="/mine?state=open&amp;page=2"' in browser.get(wanted.location).text
    assert browser.log_in("lin", next="/mine?state=open&page=2").location == "/mine?state=open&page=2"


@pytest.mark.parametrize(
    "evil",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "mine",
        "/login?next=/login",
        "/" + "a" * 2000,
    ],
)
def test_next_cannot_leave_the_site(site: Site, evil: str) -> None:
    assert site.browser().log_in("lin", next=evil).location == "/"
    assert 'name="next" value="/"' in site.browser().get("/login", query_string={"next": evil}).text


def test_a_login_gets_a_new_session_whatever_the_browser_held_before(site: Site) -> None:
    victim, thief = site.browser(), site.logged_in("lin")
    victim.client.set_cookie("kaitong_8420", thief.cookie())
    site.add("wang", "DP")
    victim.log_in("wang", token=victim.csrf())
    assert victim.get("/mine").json["login"] == "wang"  # type: ignore[index]
    assert thief.get("/mine").json["login"] == "lin"  # type: ignore[index]
    assert victim.cookie() != thief.cookie()


def test_the_csrf_token_from_before_the_login_is_worthless_after_it(site: Site) -> None:
    browser = site.browser()
    before = browser.csrf()
    browser.log_in("lin")
    assert browser.post("/mine", token=before).status_code == 400
    assert browser.post("/mine").status_code == 200


def test_logout_ends_the_login_on_the_server_too(site: Site) -> None:
    browser, copy = site.logged_in("lin"), site.browser()
    copy.client.set_cookie("kaitong_8420", browser.cookie())
    assert copy.get("/mine").status_code == 200
    assert browser.post("/logout").location == "/login"
    assert browser.get("/mine").status_code == 302
    assert copy.get("/mine").status_code == 302


def test_logout_by_a_link_is_not_possible(site: Site) -> None:
    browser = site.logged_in("lin")
    assert browser.get("/logout").status_code == 405
    assert browser.get("/mine").status_code == 200


def test_thirty_idle_minutes_end_a_login(site: Site) -> None:
    browser = site.logged_in("lin")
    site.clock.advance(29 * MINUTE)
    assert browser.get("/mine").status_code == 200
    site.clock.advance(29 * MINUTE)
    assert browser.get("/mine").status_code == 200
    site.clock.advance(30 * MINUTE)
    assert browser.get("/mine").status_code == 302


def test_eight_hours_end_a_busy_login(site: Site) -> None:
    browser = site.logged_in("lin")
    for _ in range(19):
        site.clock.advance(25 * MINUTE)
        assert browser.get("/mine").status_code == 200
    site.clock.advance(5 * MINUTE)
    assert browser.get("/mine").status_code == 302


def test_requests_within_a_minute_write_nothing(site: Site) -> None:
    browser = site.logged_in("lin")
    began = site.clock.now()
    site.clock.advance(timedelta(seconds=59))
    browser.get("/mine")
    with site.store.read() as db:
        assert sessions.sessions_of(db, site.people["lin"], site.clock.now())[0].seen_at == began
    site.clock.advance(timedelta(seconds=1))
    browser.get("/mine")
    with site.store.read() as db:
        assert sessions.sessions_of(db, site.people["lin"], site.clock.now())[0].seen_at == site.clock.now()


def test_a_changed_cookie_is_nobody(site: Site) -> None:
    browser = site.logged_in("lin")
    browser.client.set_cookie("kaitong_8420", browser.cookie()[:-3] + "abc")
    assert browser.get("/mine").status_code == 302


def test_who_must_change_the_password_gets_nowhere_else(site: Site) -> None:
    site.add("new", "DP", must_change_password=True)
    browser = site.browser()
    assert browser.log_in("new", next="/mine").location == "/password"
    assert browser.get("/mine").location == "/password"
    assert browser.get("/api/v1/incident").json["code"] == "password.change_needed"  # type: ignore[index]
    assert browser.get("/password").status_code == 200
    answer = browser.post("/password", current=PASSWORD, new=NEW_PASSWORD, repeat=NEW_PASSWORD)
    assert (answer.status_code, answer.location) == (302, "/")
    assert browser.get("/mine").status_code == 200


def test_who_must_change_the_password_can_log_out(site: Site) -> None:
    site.add("new", "DP", must_change_password=True)
    browser = site.logged_in("new")
    assert browser.post("/logout").location == "/login"


def test_a_new_password_ends_the_other_logins(site: Site) -> None:
    here, elsewhere = site.logged_in("lin"), site.logged_in("lin")
    here.post("/password", current=PASSWORD, new=NEW_PASSWORD, repeat=NEW_PASSWORD)
    assert here.get("/mine").status_code == 200
    assert elsewhere.get("/mine").status_code == 302
    assert site.browser().log_in("lin").status_code == 401
    assert site.browser().log_in("lin", NEW_PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"current": "wrong", "new": NEW_PASSWORD, "repeat": NEW_PASSWORD}, "当前密码不正确。"),
        ({"current": PASSWORD, "new": NEW_PASSWORD, "repeat": "other"}, "两次输入的新密码不一致。"),
        ({"current": PASSWORD, "new": "short", "repeat": "short"}, "密码至少需要 12 个字符。"),
        ({"current": PASSWORD, "new": PASSWORD, "repeat": PASSWORD}, "新密码不能与当前密码相同。"),
    ],
)
def test_a_bad_new_password_is_refused_with_its_reason(site: Site, form: dict[str, str], reason: str) -> None:
    browser = site.logged_in("lin")
    answer = browser.post("/password", **form)
    assert answer.status_code == 400
    assert reason in answer.text
    assert site.browser().log_in("lin").status_code == 302


def test_the_login_page_speaks_the_language_that_was_chosen(site: Site) -> None:
    browser = site.browser()
    browser.get("/login?lang=en")
    assert "Login or password is wrong" in browser.log_in("lin", "wrong password").text


def test_the_cookie_is_closed_to_scripts_and_other_sites(site: Site) -> None:
    cookie = site.browser().log_in("lin").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_behind_https_the_cookie_is_bound_to_host_and_https(store: Store, tmp_path: Path) -> None:
    cookie = make_site(store, tmp_path, https=True).browser().get("/open").headers["Set-Cookie"]
    assert cookie.startswith("__Host-kaitong=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_the_key_of_the_cookies_is_made_once_and_kept_private(store: Store, tmp_path: Path) -> None:
    first = make_site(store, tmp_path).app.secret_key
    path = tmp_path / "secret_key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert make_site(store, tmp_path).app.secret_key == first
    assert [file.name for file in tmp_path.iterdir() if "secret" in file.name] == ["secret_key"]
