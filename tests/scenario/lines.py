"""Lines that work, for the orders that change, stop or end them: built by the product itself, then looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from engine.lines.finding import find_line, shape
from engine.lines.model import LineProduct
from engine.orders.model import Product, ServiceOrder
from engine.resources.model import Building, Coverage, Resource
from engine.resources.places import key_of
from tests.scenario.stage import Play, Stage

WEST = {"area": "YT-W", "address": "西渡区西渡口路5号301", "building": "西渡口路5号"}
_NUMBER = (
    "INSERT INTO subscriber(number, account, sip_uri, barring, reference)"
    " VALUES (:number, :account, :sip_uri, :barring, NULL)"
)
BY_HAND = {"address": "东汀区工业路1号201", "building": "工业路1号"}


@dataclass
class LineOnStage:
    """A line of a customer. `built` is the order that made it."""

    stage: Stage
    built: Play
    account: str

    def order(self, order_type: str, **values: Any) -> Play:
        """Another order for this line."""
        action = "delete" if order_type == "TM" else "modify"
        about = {"line": self.account, "order_type": order_type, "action": action}
        return self.stage.order(**(about | values))

    def facts(self) -> dict[str, Any]:
        """What the product knows of it."""
        with self.stage.store.read() as db:
            return shape(db, find_line(db, self.account))

    @property
    def built_product(self) -> str:
        """What its first order said."""
        with self.stage.store.read() as db:
            return db.get_one(ServiceOrder, self.built.number).product

    def state_of(self, kind: str, name: str) -> str:
        """In which state something is that it has or had."""
        query = select(Resource.state).where(Resource.kind == kind, Resource.name == name)
        with self.stage.store.read() as db:
            return db.scalars(query).one()

    # ---- what is outside

    def account_outside(self) -> Any:
        """Its account at the AAA server, or None."""
        found = self.stage.simulators.aaa.state()["subscribers"]
        return next((one for one in found if one["account"] == self.account), None)

    def onus_outside(self, *serials: str) -> dict[str, tuple[str, str, str]]:
        """Terminals that are bound, of its own first one and these: where, and with which profile."""
        wanted = {self.built.onu, *serials}
        onus = self.stage.simulators.olt.state()["onus"]
        return {
            one["serial"]: (one["node"], one["port"], one["line_profile"])
            for one in onus
            if one["serial"] in wanted
        }

    def channels_outside(self) -> int:
        """How many multicast entries there are at its place."""
        facts = self.facts()
        members = self.stage.simulators.olt.state()["multicast_members"]
        return sum((one["node"], one["name"]) == (facts["node"], facts["port"]) for one in members)

    def places_outside(self) -> int:
        """How many service ports there are at its place and at others of its building."""
        facts = self.facts()
        ports = self.stage.simulators.olt.state()["service_ports"]
        return sum((one["node"], one["name"]) == (facts["node"], facts["port"]) for one in ports)

    def number_outside(self) -> Any:
        """What the IMS has of its telephone number, or None."""
        numbers = self.stage.simulators.ims.state()["subscribers"]
        return next((one for one in numbers if one.get("account") == self.account), None)

    def with_number(self, number: str) -> LineOnStage:
        """It has a telephone, too."""
        row = {"kind": "number", "place": "IMS-1", "name": number, "state": "in_use"}
        with self.stage.store.write() as db:
            at = self.stage.machines.site.clock.now()
            db.add(Resource(**row, holder=self.built.number, changed_at=at))
        row = {"number": number, "account": self.account, "sip_uri": f"sip:{number}@ims", "barring": "none"}
        with self.stage.simulators.ims.write() as db:
            db.execute(_NUMBER, row)
        return self

    def as_bundle(self) -> LineOnStage:
        """Its customer has television and telephone with it."""
        with self.stage.store.write() as db:
            at = self.stage.machines.site.clock.now()
            row = {"product": "HOME-1000", "speed_mbps": 1000, "changed_by": "CH-1", "changed_at": at}
            db.add(LineProduct(account=self.account, **row))
        return self

    def device_carries(self, speed_mbps: int) -> LineOnStage:
        """Its terminal is an old one."""
        with self.stage.store.write() as db:
            rows = update(Resource).where(Resource.kind == "onu", Resource.name == self.built.onu)
            db.execute(rows.values(top_speed_mbps=speed_mbps))
        return self


def a_line(stage: Stage, **order: Any) -> LineOnStage:
    """A customer has a line of ours."""
    built = stage.order(**order).to("BB_14").do("BB_14", speed_1=2000, speed_2=2000, speed_3=2000)
    return _of(stage, built)


def a_partners_line(stage: Stage) -> LineOnStage:
    """A customer has a line of a partner."""
    return _of(stage, stage.order(**WEST).partner("accepted").partner("done").do("BB_08D"))


def _of(stage: Stage, built: Play) -> LineOnStage:
    assert built.state == "completed", (built.open(), built.troubles())
    query = select(Resource.name).where(Resource.kind == "account", Resource.holder == built.number)
    with stage.store.read() as db:
        return LineOnStage(stage, built, db.scalars(query).one())


def more_network(stage: Stage) -> None:
    """A building without automation, and a faster node at the building of most orders."""
    with stage.store.write() as db:
        building = Building(area_id="YT-E", name="工业路1号", key=key_of("工业路1号"))
        db.add(building)
        db.flush()
        home = db.scalars(select(Building).where(Building.name == "汀兰路18号3栋")).one()
        for where, technology, node, speed in (
            (building, "LAN", "OLT-E02", 1000),
            (home, "XGPON", "OLT-E02", 2000),
        ):
            row = {"network": "OWN", "technology": technology, "node": node, "top_speed_mbps": speed}
            db.add(Coverage(building_id=where.id, **row, quality=80, cost_fen=2500))
        row = {"name": "宽带 2000M", "name_en": "Broadband 2000M", "order_type": "BB", "speed_mbps": 2000}
        db.add(Product(code="BB-2000", **row))
        db.execute(update(Product).values(active=True))
