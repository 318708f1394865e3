"""Resources: partners, devices, buildings, coverage by several networks, one table for all that can be held."""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up INTEGER keys only


def upgrade() -> None:
    """New tables; what was in `coverage` and `access_port` moves into them."""
    _codes()
    _places()
    _holdings()
    _move_coverage()
    _move_ports()


def _codes() -> None:
    op.create_table(
        "master_file",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("loaded_at", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
    )
    op.create_table(
        "reason_code",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("family", sa.String(1), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("longest_minutes", sa.Integer),
        sa.Column("order_type", sa.String(64)),
        sa.Column("active", sa.Boolean, nullable=False),
    )
    op.create_table(
        "tier",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("segment", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
    )


def _places() -> None:
    op.create_table(
        "partner",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("quality", sa.Integer, nullable=False),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
    )
    op.create_table(
        "network_node",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("area_id", sa.String(64), sa.ForeignKey("area.id")),
        sa.Column("pon_ports", sa.Integer, nullable=False),
        sa.Column("lines_per_pon", sa.Integer, nullable=False),
        sa.Column("first_vlan", sa.Integer, nullable=False),
    )
    op.create_table(
        "building",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("area_id", sa.String(64), sa.ForeignKey("area.id"), nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.UniqueConstraint("area_id", "key"),
    )
    op.create_index("ix_building_key", "building", ["key"])
    op.create_table(
        "demand",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("area_id", sa.String(64), nullable=False),
        sa.Column("building", sa.String(300), nullable=False),
        sa.Column("building_key", sa.String(200), nullable=False),
        sa.Column("speed_mbps", sa.Integer, nullable=False),
        sa.Column("business_key", sa.String(40), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("met_at", sa.BigInteger),
        sa.UniqueConstraint("business_key", "area_id", "building_key"),
    )
    op.create_index("ix_demand_area_id_building_key", "demand", ["area_id", "building_key"])


def _holdings() -> None:
    op.create_table(
        "resource_kind",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("prefix", sa.String(64), nullable=False),
        sa.Column("hold_minutes", sa.Integer, nullable=False),
        sa.Column("reserve_minutes", sa.Integer, nullable=False),
        sa.Column("cooling_minutes", sa.Integer, nullable=False),
    )
    op.create_table(
        "resource",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("vlan", sa.Integer),
        sa.Column("holder", sa.String(40)),
        sa.Column("slot", sa.String(64), nullable=False),
        sa.Column("taken_by", sa.String(200)),
        sa.Column("held_until", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("kind", "place", "name"),
    )
    op.create_index("ix_resource_kind_place_state_id", "resource", ["kind", "place", "state", "id"])
    op.create_index("ix_resource_kind_name", "resource", ["kind", "name"])
    op.create_index("ix_resource_holder", "resource", ["holder"])
    op.create_index("ix_resource_held_until", "resource", ["held_until"])
    op.create_table(
        "resource_use",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("resource_id", KEY, sa.ForeignKey("resource.id"), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("holder", sa.String(40)),
        sa.Column("from_at", sa.BigInteger, nullable=False),
        sa.Column("until_at", sa.BigInteger),
    )
    op.create_index("ix_resource_use_resource_id_until_at", "resource_use", ["resource_id", "until_at"])
    op.create_index("ix_resource_use_holder", "resource_use", ["holder"])


def _move_coverage() -> None:
    """A building for each row, with our own network. Names that differ only in blanks become one building."""
    op.rename_table("coverage", "coverage_before")
    old = op.get_bind().execute(
        sa.text("SELECT area_id, building, node, top_speed_mbps FROM coverage_before")
    )
    rows = [dict(row._mapping, key=_key(row.building)) for row in old]
    op.drop_table("coverage_before")
    op.create_table(
        "coverage",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("building_id", KEY, sa.ForeignKey("building.id"), nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("technology", sa.String(64), nullable=False),
        sa.Column("node", sa.String(64)),
        sa.Column("top_speed_mbps", sa.Integer, nullable=False),
        sa.Column("quality", sa.Integer, nullable=False),
        sa.Column("cost_fen", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.UniqueConstraint("building_id", "network", "technology"),
    )
    for row in {(r["area_id"], r["key"]): r for r in rows}.values():
        op.get_bind().execute(
            sa.text("INSERT INTO building (area_id, name, key) VALUES (:area_id, :building, :key)"), row
        )
        op.get_bind().execute(
            sa.text(
                "INSERT INTO coverage (building_id, network, technology, node, top_speed_mbps, quality, cost_fen,"
                " active) SELECT id, 'OWN', 'FTTH', :node, :top_speed_mbps, 90, 0, :yes FROM building"
                " WHERE area_id = :area_id AND key = :key"
            ),
            row | {"yes": True},
        )


def _key(text: str) -> str:
    """What buildings were compared by when this step was written."""
    left_out = r"[\s,.;:，。；：、\u200b\ufeff]+"
    return re.sub(left_out, "", unicodedata.normalize("NFKC", text)).casefold()[:200]


def _move_ports() -> None:
    op.execute(
        "INSERT INTO resource (kind, place, name, state, vlan, holder, slot, held_until, changed_at)"
        " SELECT 'port', node, port, state, vlan, holder, '', held_until, changed_at FROM access_port ORDER BY id"
    )
    op.execute(
        "INSERT INTO resource_use (resource_id, state, holder, from_at)"
        " SELECT id, state, holder, changed_at FROM resource WHERE state <> 'free'"
    )
    op.drop_table("access_port")
