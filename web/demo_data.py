"""The demo operator 云汀通信 (Yunting Telecom, invented) and the master data that every site begins with.

Everything here is rows, put in once and edited afterwards; nothing of it is a constant elsewhere.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bpmn.catalog import packaged
from engine.deploy.definitions import Upload
from engine.deploy.model import ProcessBinding
from engine.identity.people import create_person, find_person
from engine.identity.tokens import create_token, revoke_token, tokens_of
from engine.orders.model import HubSubscription, Product
from engine.resources.model import Area, Building, Coverage, NetworkNode, Partner
from engine.resources.places import key_of
from engine.resources.ports import add_ports
from sla.model import SlaPolicy
from tasks.field.model import Crew
from web.master_data import load_base

if TYPE_CHECKING:
    from web.services import Services

AREAS = (
    ("YT-E", "东汀区", "East Ting"),
    ("YT-N", "北岭区", "North Ridge"),
    ("YT-W", "西渡区", "West Ferry"),
    ("YT-S", "南圩县", "South Market"),
)
CREWS: tuple[tuple[str, str, str, str | None, list[str], dict[str, int]], ...] = (
    ("E1", "东汀一班", "East crew 1", None, ["YT-E"], {"FTTH": 3, "IPTV": 2}),
    ("E2", "东汀二班", "East crew 2", None, ["YT-E"], {"FTTH": 2}),
    ("N1", "北岭班", "North crew", None, ["YT-N"], {"FTTH": 3}),
    ("W1", "西渡班", "West crew", "P-HJ", ["YT-W"], {"FTTH": 2}),
    ("S1", "南圩班", "South crew", None, ["YT-S"], {"FTTH": 2, "aerial": 2}),
    ("G1", "政企班", "Enterprise crew", None, ["YT-E", "YT-N", "YT-W", "YT-S"], {"OTN": 3, "router": 3}),
)
PRODUCTS = (
    ("BB-300", "宽带 300M", "Broadband 300M", "BB", 300),
    ("BB-500", "宽带 500M", "Broadband 500M", "BB", 500),
    ("BB-1000", "宽带 1000M", "Broadband 1000M", "BB", 1000),
)
PARTNERS: tuple[tuple[str, str, str, str, str, int, list[str]], ...] = (
    ("P-CAT", "云汀有线", "Yunting Cable", "network", "api", 92, ["YT-W", "YT-N"]),
    ("P-YQ", "远桥线路", "Yuanqiao Lines", "network", "file", 84, ["YT-W"]),
    ("P-HJ", "禾捷代维", "Hejie Maintenance", "crews", "screens", 88, ["YT-W"]),
)
BUILDINGS: tuple[tuple[str, str, list[tuple[str, str, str | None, int, int, int]]], ...] = (
    ("YT-E", "汀兰路18号3栋", [("OWN", "FTTH", "OLT-E01", 1000, 95, 1800)]),
    ("YT-E", "汀兰路20号1栋", [("OWN", "FTTH", "OLT-E02", 1000, 95, 1800)]),
    (
        "YT-N",
        "北岭大道6号",
        [("OWN", "FTTH", "OLT-N01", 1000, 93, 1900), ("P-CAT", "HFC", None, 500, 92, 3200)],
    ),
    ("YT-W", "西渡口路5号", [("P-YQ", "FTTH", None, 1000, 84, 2600), ("P-CAT", "HFC", None, 1000, 92, 3200)]),
)
NODES = (("OLT-E01", "YT-E"), ("OLT-E02", "YT-E"), ("OLT-N01", "YT-N"))
PEOPLE: tuple[tuple[str, str, list[str], list[str], str | None], ...] = (
    ("admin", "系统管理员", ["AD"], [], None),
    ("designer", "钱流程", ["PD"], [], None),
    ("dispatcher", "陈调度", ["DP"], ["YT-E"], None),
    ("supervisor", "周主管", ["SV"], ["YT-E"], None),
    ("operator", "吴运维", ["OP"], [], None),
    ("service", "郑客服", ["CS"], [], None),
    ("crew-e1", "林师傅", ["FC"], ["YT-E"], "E1"),
    ("crew-e1b", "何师傅", ["FC"], ["YT-E"], "E1"),
    ("crew-e2", "孙师傅", ["FC"], ["YT-E"], "E2"),
    ("crew-n1", "马师傅", ["FC"], ["YT-N"], "N1"),
)
CRM_LOGIN = "crm"
PARTNER_LOGINS = (
    ("partner-cat", "云汀有线", "P-CAT"),
    ("partner-yq", "远桥线路", "P-YQ"),
)
"""Systems of partners, which report on their orders."""


SIMULATOR_TOKEN = "simulator"  # noqa: S105  (its name, not its text)


@dataclass(frozen=True)
class DemoLogin:
    """Who may log in, with a password made for this installation."""

    login: str
    name: str
    roles: list[str]
    password: str


def seed_base(session: Any, services: Services, at: datetime) -> None:
    """What every site needs: master data, policies, products, bindings, and the shipped diagrams, deployed."""
    load_base(session, at)
    session.add_all(
        [
            SlaPolicy(
                code="HOME48",
                name="家庭宽带 48 小时",
                name_en="Home broadband 48 h",
                subject="order",
                order_type="BB",
                limit_minutes=48 * 60,
                rungs=[50, 80, 100],
                valid_from=at,
            ),
            SlaPolicy(
                code="BB11",
                name="上门施工 24 小时",
                name_en="Construction 24 h",
                subject="task",
                process="broadband",
                element="BB_11",
                limit_minutes=24 * 60,
                rungs=[50, 80, 100],
                valid_from=at,
            ),
        ]
    )
    session.add_all(
        Product(code=c, name=n, name_en=e, order_type=t, speed_mbps=s) for c, n, e, t, s in PRODUCTS
    )
    session.add(ProcessBinding(order_type="BB", valid_from=at, process_key="broadband"))
    for bundle in packaged():
        upload = Upload(bundle.filename, bundle.xml, bundle.forms)
        for version in services.definitions.upload(session, upload, at=at, actor="system"):
            services.definitions.deploy(session, version.id, at=at, actor="system")


def seed_company(session: Any, at: datetime) -> None:
    """Areas, crews, coverage and ports of the demo operator."""
    session.add_all(Area(id=i, name=n, name_en=e) for i, n, e in AREAS)
    session.flush()
    session.add_all(
        Crew(id=i, name=n, name_en=e, employer=p, areas=a, skills=s) for i, n, e, p, a, s in CREWS
    )
    session.add_all(
        Partner(id=i, name=n, name_en=e, kind=k, channel=c, quality=q, areas=a)
        for i, n, e, k, c, q, a in PARTNERS
    )
    for area, name, networks in BUILDINGS:
        building = Building(area_id=area, name=name, key=key_of(name))
        session.add(building)
        session.flush()
        session.add_all(
            Coverage(
                building_id=building.id,
                network=network,
                technology=technology,
                node=node,
                top_speed_mbps=speed,
                quality=quality,
                cost_fen=cost,
            )
            for network, technology, node, speed, quality, cost in networks
        )
    for name, area in NODES:
        node = NetworkNode(id=name, kind="OLT", area_id=area, pon_ports=16, lines_per_pon=64, first_vlan=1201)
        session.add(node)
        add_ports(session, node, at)
    session.flush()


def seed_people(session: Any, at: datetime) -> list[DemoLogin]:
    """Demo logins with passwords that nobody else has, and the CRM as a machine."""
    logins = []
    for login, name, roles, areas, crew in PEOPLE:
        password = "-".join(secrets.token_hex(3) for _ in range(3))
        create_person(
            session, login=login, name=name, roles=roles, password=password, areas=areas, crew_id=crew, at=at
        )
        logins.append(DemoLogin(login, name, roles, password))
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
