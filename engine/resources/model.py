"""Tables of areas, addresses and access ports."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, serial, word
from engine.store.base import name as title


class Area(Base):
    """A part of the operator's country; people's rights and crews hang on it."""

    __tablename__ = "area"

    id: Mapped[word] = mapped_column(primary_key=True)  # YT-E
    name: Mapped[title]
    name_en: Mapped[title]


class Coverage(Base):
    """Which access node serves a building."""

    __tablename__ = "coverage"
    __table_args__ = (UniqueConstraint("area_id", "building"),)

    id: Mapped[serial]
    area_id: Mapped[str] = mapped_column(ForeignKey("area.id"))
    building: Mapped[str] = mapped_column(String(300))
    node: Mapped[word]  # OLT-E01
    top_speed_mbps: Mapped[int]


class AccessPort(Base):
    """A port of an access node. States: free, reserved, in_use, faulty."""

    __tablename__ = "access_port"
    __table_args__ = (
        UniqueConstraint("node", "port"),
        Index("ix_access_port_node_state", "node", "state"),
        Index("ix_access_port_holder", "holder"),
    )

    id: Mapped[serial]
    node: Mapped[word]
    port: Mapped[word]  # 1/3/7
    state: Mapped[str] = mapped_column(String(12))
    vlan: Mapped[int]
    holder: Mapped[str | None] = mapped_column(String(40))  # business key of the instance that holds it
    held_until: Mapped[datetime | None]
    changed_at: Mapped[datetime]
