"""user: people and their ways in."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
from collections.abc import Mapping
from typing import Any

from engine.config import Settings
from engine.errors import NotFound
from engine.identity.model import Person
from engine.identity.people import create_person, find_person, set_password
from engine.identity.tokens import create_token, tokens_of
from tasks.field.crews import crew_names
from web.commands.output import add_format, show, table
from web.services import Services


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parsers of these commands."""
    user = commands.add_parser("user", help="people, passwords and tokens").add_subparsers(
        metavar="WHAT", required=True
    )
    add = user.add_parser("add", help="a new person")
    add.add_argument("login")
    add.add_argument("--name")
    add.add_argument("--role", action="append", required=True, help="may be given several times")
    add.add_argument("--area", action="append", default=[], help="may be given several times; none means all")
    add.add_argument("--crew")
    add.add_argument("--employer", help="the partner company that somebody works for, or whose system it is")
    add.add_argument("--machine", action="store_true", help="no password, tokens only")
    add_format(add)
    add.set_defaults(run=run_add)
    password = user.add_parser("password", help="set a person's password")
    password.add_argument("login")
    password.set_defaults(run=run_password)
    token = user.add_parser("token", help="a new bearer token; it is shown once")
    token.add_argument("login")
    token.add_argument("--days", type=int, default=90)
    add_format(token)
    token.set_defaults(run=run_token)
    tokens = user.add_parser("tokens", help="the tokens of a person")
    tokens.add_argument("login")
    add_format(tokens)
    tokens.set_defaults(run=run_tokens)


def run_add(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Asks for the password on a terminal; otherwise makes one that has to be changed."""
    services = _services(environment)
    made = None
    if arguments.machine:
        password = None
    elif sys.stdin.isatty():
        password = getpass.getpass("password: ")
    else:
        password = made = secrets.token_urlsafe(12)
    with services.store.write() as session:
        if arguments.crew is not None and arguments.crew not in crew_names(session):
            raise NotFound(what="crew", id=arguments.crew)
        person = create_person(
            session,
            login=arguments.login,
            name=arguments.name or arguments.login,
            roles=arguments.role,
            areas=arguments.area,
            crew_id=arguments.crew,
            employer=arguments.employer,
            password=password,
            must_change_password=made is not None,
            at=services.clock.now(),
            by="cli",
        )
        result = {"login": person.login, "roles": person.roles, "password": made}
    show(arguments, result, f"{result['login']} added" + (f"; first password: {made}" if made else ""))
    return 0


def run_password(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Sets a password; every session of the person ends."""
    services = _services(environment)
    password = getpass.getpass("new password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with services.store.write() as session:
        person = _person(session, arguments.login)
        set_password(session, person.id, password, at=services.clock.now(), by="cli")
    print("password set")
    return 0


def run_token(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Prints the token alone, so that a shell can take it."""
    services = _services(environment)
    with services.store.write() as session:
        person = _person(session, arguments.login)
        plain = create_token(session, person.id, "cli", arguments.days, at=services.clock.now(), by="cli")
    show(arguments, {"login": arguments.login, "token": plain}, str(plain))
    return 0


def run_tokens(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Lists tokens; never their secret."""
    services = _services(environment)
    with services.store.read() as session:
        found = tokens_of(session, _person(session, arguments.login).id)
        rows = [{"id": t.id, "name": t.name, "expires": t.expires_at, "revoked": t.revoked_at} for t in found]
    show(arguments, rows, table(rows, ("id", "name", "expires", "revoked")))
    return 0


def _services(environment: Mapping[str, str]) -> Services:
    from web.bootstrap import assemble

    return assemble(Settings.load(environment))


def _person(session: Any, login: str) -> Person:
    person = find_person(session, login)
    if person is None:
        raise NotFound(what="person", id=login)
    return person
