"""People, passwords, back-off, sessions, tokens and messages, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.errors import BadInput, NotFound
from engine.events import Event
from engine.identity import inbox, passwords, people, sessions, tokens
from engine.identity.model import ApiToken, Person, WebSession
from engine.store import Store
from engine.testing import FakeClock
from tests.actors import add_roles

PASSWORD = "correct horse 电池"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def lin(store: Store, clock: FakeClock) -> int:
    with store.write() as db:
        add_roles(db)
        return people.create_person(
            db,
            login="lin",
            name="林女士",
            roles=["SV", "DP"],
            areas=["YT-N", "YT-E"],
            password=PASSWORD,
            at=clock.now(),
        ).id


def try_login(store: Store, clock: FakeClock, password: str) -> bool:
    with store.write() as db:
        return people.authenticate(db, "lin", password, clock.now()) is not None


# ---- people and passwords


def test_a_person_becomes_an_actor_with_roles_and_areas(store: Store, lin: int) -> None:
    with store.read() as db:
        actor = people.actor_of(db, db.get_one(Person, lin))
    assert (actor.roles, actor.areas) == ({"DP", "SV"}, {"YT-E", "YT-N"})
    assert actor.scopes is None


def test_a_login_is_given_once_whatever_its_case(store: Store, lin: int, clock: FakeClock) -> None:
    with pytest.raises(people.LoginTaken), store.write() as db:
        people.create_person(db, login=" LIN", name="other", roles=[], at=clock.now())


@pytest.mark.parametrize(
    "wrong",
    [{"login": "a b"}, {"login": ""}, {"name": " "}, {"roles": ["BOSS"]}, {"locale": "fr"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_person_with_wrong_data_is_refused(
    store: Store, clock: FakeClock, wrong: dict[str, object]
) -> None:
    given: dict[str, object] = {"login": "wang", "name": "王", "roles": ["FC"]} | wrong
    with pytest.raises(BadInput), store.write() as db:
        people.create_person(db, at=clock.now(), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elevenchars", "password.too_short"),
        ("x" * 201, "password.too_long"),
        ("Dispatcher-Lin", "password.is_name"),
        ("LIN@YUNTING.EXAMPLE", "password.is_name"),
        ("abababababab", "password.too_plain"),
    ],
)
def test_a_password_that_breaks_a_rule_is_refused(password: str, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        passwords.check_rules(password, login="lin@yunting.example", name="Dispatcher-Lin")
    assert refused.value.code == code


def test_the_password_itself_is_not_kept(store: Store, lin: int) -> None:
    with store.read() as db:
        kept = db.get_one(Person, lin).password_hash
    assert kept is not None
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


def test_a_machine_without_password_cannot_log_in(store: Store, clock: FakeClock) -> None:
    with store.write() as db:
        add_roles(db)
        people.create_person(db, login="crm", name="CRM", roles=["CRM"], at=clock.now())
    with store.write() as db:
        assert people.authenticate(db, "crm", "nobody has this password", clock.now()) is None


def test_wrong_passwords_shut_the_login_longer_each_time_and_never_for_ever(
    store: Store, lin: int, clock: FakeClock
) -> None:
    for _ in range(4):
        assert not try_login(store, clock, "wrong")
    for seconds in (30, 60, 120, 240, 480, 900, 900):
        assert not try_login(store, clock, "wrong")
        clock.advance(timedelta(seconds=seconds - 1))
        assert not try_login(store, clock, PASSWORD), f"open before {seconds} s"
        clock.advance(timedelta(seconds=1))
    assert try_login(store, clock, PASSWORD)


def test_a_right_password_forgets_the_wrong_ones(store: Store, lin: int, clock: FakeClock) -> None:
    for _ in range(3):
        for _ in range(4):
            assert not try_login(store, clock, "wrong")
        assert try_login(store, clock, PASSWORD)


def test_a_password_changed_during_the_check_is_not_accepted(
    store: Store, lin: int, clock: FakeClock
) -> None:
    with store.read() as db:
        facts = people.look_up(db, "lin")
    with store.write() as db:
        people.set_password(db, lin, "another long one 2", at=clock.now(), by="admin")
    with store.write() as db:
        assert people.record_try(db, facts, facts.matches(PASSWORD), clock.now()) is None


def test_an_unknown_login_takes_as_long_as_a_known_one() -> None:
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("no hash at all", PASSWORD)


def test_changes_of_people_and_keys_are_recorded(store: Store, lin: int, clock: FakeClock) -> None:
    with store.write() as db:
        people.set_password(db, lin, "another long one 2", at=clock.now(), by="lin")
        tokens.create_token(db, lin, "script", 30, at=clock.now(), by="admin")
        people.set_active(db, lin, False, at=clock.now(), by="admin")
    with store.read() as db:
        rows = db.execute(select(Event.kind, Event.actor).order_by(Event.id)).all()
        everything = str([event.data for event in db.scalars(select(Event))])
    assert [tuple(row) for row in rows] == [
        ("PersonCreated", "system"),
        ("PasswordChanged", "lin"),
        ("TokenCreated", "admin"),
        ("PersonDeactivated", "admin"),
    ]
    assert "kt_" not in everything
    assert "another long one" not in everything


# ---- sessions


def test_a_session_is_found_by_its_secret_only_and_the_secret_is_not_kept(
    store: Store, lin: int, clock: FakeClock
) -> None:
    with store.write() as db:
        secret = sessions.open_session(db, lin, "Firefox", clock.now())
    with store.read() as db:
        found = sessions.find_session(store, secret, clock.now())
        kept = db.scalars(select(WebSession)).one().id_hash
        assert sessions.find_session(store, kept, clock.now()) is None
    assert found is not None
    assert (found.actor.login, found.must_change_password, found.is_stale) == ("lin", False, False)
    assert secret not in kept
    assert len(secret) >= 43  # 256 bits


def test_the_list_of_logins_shows_open_ones_and_marks_the_own(
    store: Store, lin: int, clock: FakeClock
) -> None:
    with store.write() as db:
        for agent in ("idle", "gone"):
            gone = sessions.open_session(db, lin, agent, clock.now())
        sessions.revoke(db, gone, clock.now())
    clock.advance(timedelta(minutes=31))
    with store.write() as db:
        mine = sessions.open_session(db, lin, "Firefox", clock.now())
        sessions.open_session(db, lin, "Phone", clock.now())
    with store.read() as db:
        listed = sessions.sessions_of(db, lin, clock.now(), current=mine)
    assert {(row.agent, row.current) for row in listed} == {("Firefox", True), ("Phone", False)}


# ---- tokens


def test_a_token_is_kept_as_a_hash_only(store: Store, lin: int, clock: FakeClock) -> None:
    with store.write() as db:
        plain = tokens.create_token(db, lin, "script", 30, at=clock.now())
    with store.read() as db:
        row = db.scalars(select(ApiToken)).one()
        found = tokens.authenticate_token(store, plain, clock.now())
        assert tokens.authenticate_token(store, row.token_hash, clock.now()) is None
    assert plain.startswith("kt_")
    assert plain not in row.token_hash
    assert found is not None
    assert found.actor.login == "lin"


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_token_without_a_sensible_end_is_refused(
    store: Store, lin: int, clock: FakeClock, days: int
) -> None:
    with pytest.raises(BadInput), store.write() as db:
        tokens.create_token(db, lin, "script", days, at=clock.now())


def test_a_token_of_nobody_is_refused(store: Store, clock: FakeClock) -> None:
    with pytest.raises(NotFound), store.write() as db:
        tokens.create_token(db, 999, "script", 30, at=clock.now())


def test_a_token_of_a_deactivated_person_is_dead(store: Store, lin: int, clock: FakeClock) -> None:
    with store.write() as db:
        plain = tokens.create_token(db, lin, "script", 30, at=clock.now())
        people.set_active(db, lin, False, at=clock.now(), by="admin")
    assert tokens.authenticate_token(store, plain, clock.now()) is None


# ---- messages


def test_the_same_news_is_told_once_to_each_person(store: Store, lin: int, clock: FakeClock) -> None:
    with store.write() as db:
        wang = people.create_person(db, login="wang", name="王", roles=["FC"], at=clock.now()).id
    for readers in ([lin], [lin, wang, wang], []):
        with store.write() as db:
            inbox.tell(db, readers, "clock-7-80", "sla_warning", "warn", {"order": "BB-1"}, clock.now())
    with store.read() as db:
        assert [inbox.unread_count(db, person) for person in (lin, wang)] == [1, 1]
        assert inbox.messages(db, lin).items[0].facts == {"order": "BB-1"}


def test_messages_are_read_page_by_page_newest_first(store: Store, lin: int, clock: FakeClock) -> None:
    with store.write() as db:
        for number in range(5):
            inbox.tell(db, [lin], f"news-{number}", "news", "info", {"n": number}, clock.now())
    seen, before = [], None
    with store.read() as db:
        for _ in range(3):
            page = inbox.messages(db, lin, before=before, limit=2)
            seen.append([message.facts["n"] for message in page.items])
            before = page.next
    assert seen == [[4, 3], [2, 1], [0]]
    assert before is None


def test_nobody_marks_the_messages_of_others_read(store: Store, lin: int, clock: FakeClock) -> None:
    with store.write() as db:
        wang = people.create_person(db, login="wang", name="王", roles=["FC"], at=clock.now()).id
        inbox.tell(db, [lin, wang], "news", "news", "info", {}, clock.now())
    with store.write() as db:
        ids = [message.id for message in inbox.messages(db, lin).items]
        inbox.mark_read(db, wang, ids, clock.now())
    with store.write() as db:
        assert inbox.unread_count(db, lin) == 1
        inbox.mark_read(db, lin, ids, clock.now())
        inbox.mark_read(db, wang, None, clock.now())
    with store.read() as db:
        assert [inbox.unread_count(db, person) for person in (lin, wang)] == [0, 0]
        assert list(inbox.messages(db, lin, only_unread=True).items) == []
