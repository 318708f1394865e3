"""Making people, their passwords, and finding out whether somebody is who he says.

After five wrong passwords a login is shut for 30 seconds, twice as long after each further one, 15 minutes at most:
guessing becomes slow, and nobody can shut a colleague out for ever.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import BadInput, NotFound, RuleViolation
from engine.events import record
from engine.identity import passwords, sessions
from engine.identity.actor import Actor
from engine.identity.lookup import GRANTS
from engine.identity.model import Person, Role
from engine.identity.rights import EVERYTHING, read_grants, rights_of

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_FREE_TRIES = 5
_FIRST_LOCK = timedelta(seconds=30)
_LONGEST_LOCK = timedelta(minutes=15)


class LoginTaken(RuleViolation):
    """The login {login} is already in use."""

    code: ClassVar[str] = "login_taken"


@dataclass(frozen=True, slots=True)
class LoginFacts:
    """What is known about a login before its password is checked."""

    person_id: int | None
    password_hash: str | None

    def matches(self, password: str) -> bool:
        """Slow on purpose: call it outside a transaction. As slow when the login does not exist."""
        return passwords.matches(self.password_hash, password[: passwords.MOST + 1])


def create_person(
    session: Session,
    login: str,
    name: str,
    roles: Collection[str],
    *,
    at: datetime,
    by: str = "system",
    areas: Collection[str] = (),
    crew_id: str | None = None,
    employer: str | None = None,
    locale: str = "zh_CN",
    password: str | None = None,
    must_change_password: bool = False,
) -> Person:
    """Adds a person; without a password only tokens open the door. Raises `LoginTaken`, `BadInput`."""
    login = normal_login(login)
    _check(session, login, name, roles, locale)
    if find_person(session, login) is not None:
        raise LoginTaken(login=login)
    if password is not None:
        passwords.check_rules(password, login, name)
    person = Person(
        login=login,
        name=name.strip(),
        roles=sorted(set(roles)),
        areas=sorted(set(areas)),
        crew_id=crew_id,
        employer=employer,
        locale=locale,
        password_hash=None if password is None else passwords.hash_password(password),
        must_change_password=must_change_password,
        created_at=at,
    )
    session.add(person)
    session.flush()
    record(session, "PersonCreated", at=at, actor=by, person=login, roles=person.roles)
    return person


def set_password(
    session: Session, person_id: int, password: str, *, at: datetime, by: str, must_change: bool = False
) -> None:
    """Gives a new password and ends all sessions of the person. Raises a rule of `engine.identity.passwords`."""
    person = _get(session, person_id)
    passwords.check_rules(password, person.login, person.name)
    person.password_hash = passwords.hash_password(password)
    person.must_change_password = must_change
    person.failed_logins = 0
    person.locked_until = None
    sessions.revoke_all(session, person.id, at)
    record(session, "PasswordChanged", at=at, actor=by, person=person.login)


def set_locale(session: Session, person_id: int, locale: str) -> None:
    """Chooses the person's language."""
    _check_locale(locale)
    _get(session, person_id).locale = locale


def set_active(session: Session, person_id: int, active: bool, *, at: datetime, by: str) -> None:
    """Lets a person in, or shuts all his ways in at once; his name stays in the records."""
    person = _get(session, person_id)
    if person.active == active:
        return
    person.active = active
    if not active:
        sessions.revoke_all(session, person_id, at)
    record(
        session, "PersonActivated" if active else "PersonDeactivated", at=at, actor=by, person=person.login
    )


def find_person(session: Session, login: str) -> Person | None:
    """The person with this login, active or not."""
    return session.scalar(select(Person).where(Person.login == normal_login(login)))


def authenticate(session: Session, login: str, password: str, now: datetime) -> Person | None:
    """The person, if login and password are right and the login is not shut. The answer never says which was wrong.

    The three parts can be called one by one, so that the slow one need not hold a transaction open.
    """
    facts = look_up(session, login)
    return record_try(session, facts, facts.matches(password), now)


def look_up(session: Session, login: str) -> LoginFacts:
    """First part of `authenticate`: reads only."""
    person = find_person(session, login)
    return LoginFacts(None, None) if person is None else LoginFacts(person.id, person.password_hash)


def record_try(session: Session, facts: LoginFacts, is_right: bool, now: datetime) -> Person | None:
    """Last part of `authenticate`: counts a wrong password, forgets wrong ones after a right one.

    While a login is shut nothing is counted and nothing is right.
    """
    if facts.person_id is None:
        return None
    person = session.get_one(Person, facts.person_id, with_for_update=True, populate_existing=True)
    if not person.active or (person.locked_until is not None and now < person.locked_until):
        return None
    if not is_right or person.password_hash != facts.password_hash:
        person.failed_logins += 1
        person.locked_until = _lock_end(person.failed_logins, now)
        return None
    if person.failed_logins:
        person.failed_logins, person.locked_until = 0, None
    return person


def names_by_login(session: Session, logins: Collection[str]) -> dict[str, str]:
    """Names of the people behind some logins, whether they are still active or not."""
    query = select(Person.login, Person.name).where(Person.login.in_(set(logins)))
    return dict(session.execute(query).all())


def role_names(session: Session) -> dict[str, tuple[str, str]]:
    """The names of all roles in both languages, by code."""
    query = select(Role.code, Role.name, Role.name_en).order_by(Role.code)
    return {code: (zh, en) for code, zh, en in session.execute(query)}


def actor_of(session: Session, person: Person, scopes: frozenset[str] | None = None) -> Actor:
    """The person as an actor."""
    roles = frozenset(person.roles)
    return Actor(
        person_id=person.id,
        login=person.login,
        name=person.name,
        roles=roles,
        rights=rights_of(roles, read_grants(session.scalar(select(GRANTS)))),
        areas=frozenset(person.areas),
        crew_id=person.crew_id,
        employer=person.employer,
        locale=person.locale,
        scopes=scopes,
    )


def normal_login(login: str) -> str:
    """Logins do not differ by case or by blanks around them."""
    return login.strip().casefold()[:64]


def _lock_end(failures: int, now: datetime) -> datetime | None:
    if failures < _FREE_TRIES:
        return None
    doubled: timedelta = _FIRST_LOCK * 2 ** min(failures - _FREE_TRIES, 10)
    return now + min(doubled, _LONGEST_LOCK)


def _check(session: Session, login: str, name: str, roles: Collection[str], locale: str) -> None:
    if not _LOGIN.fullmatch(login):
        raise BadInput(detail="a login has small letters, digits, and . _ @ - inside")
    if not name.strip() or len(name) > 200:
        raise BadInput(detail="a name has 1 to 200 characters")
    if unknown := sorted(set(roles) - {EVERYTHING} - set(role_names(session))):
        raise BadInput(detail=f"unknown role {', '.join(unknown)}")
    _check_locale(locale)


def _check_locale(locale: str) -> None:
    if locale not in ("zh_CN", "en"):
        raise BadInput(detail="the language is zh_CN or en")


def _get(session: Session, person_id: int) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound(what="person", id=person_id)
    return person
