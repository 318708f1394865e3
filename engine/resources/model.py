"""Tables of places, of the networks that reach them, and of what an order can hold there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, serial, word
from engine.store.base import name as title

OWN = "OWN"
"""The network of a coverage row that is the operator's own; any other word is a partner's id."""


class Area(Base):
    """A part of the operator's country; people's rights and crews hang on it."""

    __tablename__ = "area"

    id: Mapped[word] = mapped_column(primary_key=True)  # YT-E
    name: Mapped[title]
    name_en: Mapped[title]


class Partner(Base):
    """Another company that works for us. `kind`: network (its line reaches the customer), crews (its people do)."""

    __tablename__ = "partner"

    id: Mapped[word] = mapped_column(primary_key=True)  # P-CAT
    name: Mapped[title]
    name_en: Mapped[title]
    kind: Mapped[word]
    channel: Mapped[word]  # how we speak to it: api, file, screens
    quality: Mapped[int]  # 0 to 100, from what was measured
    areas: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(default=True)


class NetworkNode(Base):
    """A device of ours. `kind`: OLT, AAA, IMS, PE; the figures are those of an OLT."""

    __tablename__ = "network_node"

    id: Mapped[word] = mapped_column(primary_key=True)  # OLT-E01
    kind: Mapped[word]
    area_id: Mapped[str | None] = mapped_column(ForeignKey("area.id"))
    pon_ports: Mapped[int] = mapped_column(default=0)
    lines_per_pon: Mapped[int] = mapped_column(default=0)
    first_vlan: Mapped[int] = mapped_column(default=0)


class Building(Base):
    """A building. `key` is its name without blanks and letter case (`places.key_of`): addresses are found by it."""

    __tablename__ = "building"
    __table_args__ = (UniqueConstraint("area_id", "key"), Index("ix_building_key", "key"))

    id: Mapped[serial]
    area_id: Mapped[str] = mapped_column(ForeignKey("area.id"))
    name: Mapped[str] = mapped_column(String(300))
    key: Mapped[str] = mapped_column(String(200))


class Coverage(Base):
    """A network that reaches a building. `node` is ours; a partner's equipment is his own business."""

    __tablename__ = "coverage"
    __table_args__ = (UniqueConstraint("building_id", "network", "technology"),)

    id: Mapped[serial]
    building_id: Mapped[int] = mapped_column(ForeignKey("building.id"))
    network: Mapped[word]  # OWN, or a partner
    technology: Mapped[word]  # FTTH, HFC
    node: Mapped[word | None]  # OLT-E01
    top_speed_mbps: Mapped[int]
    quality: Mapped[int]  # 0 to 100
    cost_fen: Mapped[int]  # what a line costs us a month, in fen
    active: Mapped[bool] = mapped_column(default=True)


class ResourceKind(Base):
    """How a kind of resource is kept: for how long it is held, reserved and cooled.

    A `prefix` says that we make the names ourselves (prefix, date, serial); they are never given twice. Without one
    they are taken from stock.
    """

    __tablename__ = "resource_kind"

    code: Mapped[word] = mapped_column(primary_key=True)  # port, account, onu
    name: Mapped[title]
    name_en: Mapped[title]
    prefix: Mapped[word] = mapped_column(default="")
    hold_minutes: Mapped[int] = mapped_column(default=30)
    reserve_minutes: Mapped[int]
    cooling_minutes: Mapped[int] = mapped_column(default=0)


class Resource(Base):
    """One thing that can be held: a port, an ONU, an account, a VLAN, an IP, a circuit, a number.

    States: free, held (asked for before the sale), reserved (an order wants it), in_use, faulty, cooling, retired.
    `held_until`: when held, reserved or cooling ends by itself; empty: never.
    """

    __tablename__ = "resource"
    __table_args__ = (
        UniqueConstraint("kind", "place", "name"),
        Index("ix_resource_kind_place_state_id", "kind", "place", "state", "id"),
        Index("ix_resource_kind_name", "kind", "name"),
        Index("ix_resource_holder", "holder"),
        Index("ix_resource_held_until", "held_until"),
    )

    id: Mapped[serial]
    kind: Mapped[word]
    place: Mapped[word] = mapped_column(default="")  # node, store, exchange area, device
    name: Mapped[word]  # 1/3/7, YTGP1A2B3C4D, yt10230123
    state: Mapped[str] = mapped_column(String(12), default="free")
    vlan: Mapped[int | None]  # of a port
    top_speed_mbps: Mapped[int | None]  # of a device that cannot carry more
    holder: Mapped[str | None] = mapped_column(String(40))  # business key of who holds it, or held it last
    slot: Mapped[word] = mapped_column(default="")  # which of several lines or ends of the holder
    taken_by: Mapped[str | None] = mapped_column(String(200))  # key of the call that took it
    held_until: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class ResourceUse(Base):
    """Who used what from when to when; one row for each state other than free. Never changed but to end it."""

    __tablename__ = "resource_use"
    __table_args__ = (
        Index("ix_resource_use_resource_id_until_at", "resource_id", "until_at"),
        Index("ix_resource_use_holder", "holder"),
    )

    id: Mapped[serial]
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    state: Mapped[str] = mapped_column(String(12))
    holder: Mapped[str | None] = mapped_column(String(40))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class Demand(Base):
    """Somebody wanted a line where there is none (需求预登记). States: open, met (a network reaches the building now)."""

    __tablename__ = "demand"
    __table_args__ = (
        UniqueConstraint("business_key", "area_id", "building_key"),
        Index("ix_demand_area_id_building_key", "area_id", "building_key"),
    )

    id: Mapped[serial]
    area_id: Mapped[word]
    building: Mapped[str] = mapped_column(String(300))
    building_key: Mapped[str] = mapped_column(String(200))
    speed_mbps: Mapped[int]
    business_key: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(8))
    recorded_at: Mapped[datetime]
    met_at: Mapped[datetime | None]
