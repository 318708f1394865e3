"""The demo operator 云汀通信 (Yunting Telecom, invented) and what every site begins with, put into an empty database.

Everything is files (`web/demo`, `engine/masterdata`, `sla`), loaded once and edited afterwards as rows.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bpmn.catalog import Packaged, packaged
from engine.deploy.definitions import Upload
from engine.identity.people import create_person, find_person
from engine.identity.tokens import create_token, revoke_token, tokens_of
from engine.orders.model import HubSubscription
from web.master_data import DEMO, load_base, load_demo, rows_of_csv

if TYPE_CHECKING:
    from web.services import Services

CRM_LOGIN = "crm"
PARTNER_LOGINS = (
    ("partner-cat", "云汀有线", "P-CAT"),
    ("partner-yq", "远桥线路", "P-YQ"),
)
"""Systems of partners, which report on their orders."""


SIMULATOR_TOKEN = "simulator"  # noqa: S105  (its name, not its text)


@dataclass(frozen=True)
class Employee:
    """Somebody who works at the demo operator, or for it (`employer`)."""

    login: str
    name: str
    roles: list[str]
    areas: list[str]
    crew: str | None
    employer: str | None


def people() -> Iterator[Employee]:
    """Everybody who works there."""
    for row in rows_of_csv(DEMO, "people.csv"):
        roles, areas = row["roles"].split(), row["areas"].split()
        yield Employee(row["login"], row["name"], roles, areas, row["crew"] or None, row["employer"] or None)


@dataclass(frozen=True)
class DemoLogin:
    """Who may log in, with a password made for this installation."""

    login: str
    name: str
    roles: list[str]
    password: str


def seed_base(
    session: Any, services: Services, at: datetime, bundles: Sequence[Packaged] | None = None
) -> None:
    """What every site needs: master data, and the shipped diagrams, deployed."""
    load_base(session, at)
    for bundle in packaged() if bundles is None else bundles:
        upload = Upload(bundle.filename, bundle.xml, bundle.forms)
        for version in services.definitions.upload(session, upload, at=at, actor="system"):
            services.definitions.deploy(session, version.id, at=at, actor="system")


def seed_company(session: Any, at: datetime) -> None:
    """The demo operator: the files of `web/demo`."""
    load_demo(session, at)


def seed_people(session: Any, at: datetime) -> list[DemoLogin]:
    """Demo logins with passwords that nobody else has, and the CRM as a machine."""
    logins = []
    for one in people():
        password = "-".join(secrets.token_hex(3) for _ in range(3))
        create_person(
            session,
            login=one.login,
            name=one.name,
            roles=one.roles,
            password=password,
            areas=one.areas,
            crew_id=one.crew,
            employer=one.employer,
            at=at,
        )
        logins.append(DemoLogin(one.login, one.name, one.roles, password))
    create_person(session, login=CRM_LOGIN, name="CRM 营业系统", roles=["CRM"], at=at)
    for login, name, partner in PARTNER_LOGINS:
        create_person(session, login=login, name=name, roles=["PTS"], employer=partner, at=at)
    return logins


def subscribe_crm(session: Any, crm_url: str, at: datetime) -> None:
    """The demo CRM listens to its orders; the address is renewed at every start, a simulator may change its port."""
    row = session.get(HubSubscription, "hub-demo")
    if row is None:
        row = HubSubscription(id="hub-demo", owner=CRM_LOGIN, created_at=at, callback="", query=None)
        session.add(row)
    row.callback = f"{crm_url}/listener"


def partner_tokens(session: Any, at: datetime) -> dict[str, str]:
    """New tokens for the simulated partners, by partner; those of before end. Empty where there are none of ours."""
    made = {}
    for login, _, partner in PARTNER_LOGINS:
        person = find_person(session, login)
        if person is None:
            continue
        for old in tokens_of(session, person.id):
            if old.name == SIMULATOR_TOKEN:
                revoke_token(session, old.id, at=at, by="system")
        made[partner] = create_token(session, person.id, SIMULATOR_TOKEN, 365, at=at)
    return made


def seed(session: Any, services: Services, at: datetime) -> list[DemoLogin]:
    """All of it, into an empty database."""
    seed_company(session, at)
    seed_base(session, services, at)
    return seed_people(session, at)
