"""Trouble tickets, mass faults, planned work, alarms; listeners of more than one interface."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up INTEGER keys only
OPEN = sa.text("state in ('proposed', 'open')")


def upgrade() -> None:
    """Makes the tables."""
    api = sa.Column("api", sa.String(64), nullable=False, server_default="serviceOrdering")
    op.add_column("hub_subscription", api)
    _tickets()
    _mass_faults()
    _planned_work()
    _alarms()


def _tickets() -> None:
    op.create_table(
        "trouble_ticket",
        sa.Column("id", sa.String(40), sa.ForeignKey("service_order.id"), primary_key=True),
        sa.Column("ticket_type", sa.String(200), nullable=False),
        sa.Column("severity", sa.String(64), nullable=False),
        sa.Column("priority", sa.String(64)),
        sa.Column("description", sa.String(4000), nullable=False),
        sa.Column("symptom", sa.String(200)),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("line", sa.String(100), nullable=False),
        sa.Column("line_order", sa.String(40)),
        sa.Column("node", sa.String(64)),
        sa.Column("pon", sa.String(64)),
        sa.Column("port", sa.String(64)),
        sa.Column("alarm_id", KEY),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("status_reason", sa.String(500)),
        sa.Column("status_at", sa.BigInteger, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("relation", sa.String(10)),
        sa.Column("related_id", sa.String(40)),
        sa.Column("parent_id", sa.String(40)),
        sa.Column("urges", sa.Integer, nullable=False),
        sa.Column("cause_code", sa.String(64)),
        sa.Column("segment", sa.String(200)),
        sa.Column("time_owner", sa.String(64)),
        sa.Column("restored_at", sa.BigInteger),
        sa.Column("wished_at", sa.BigInteger),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    for columns in (
        ["created_at", "id"],
        ["line", "created_at"],
        ["node", "pon", "created_at"],
        ["status", "id"],
        ["parent_id"],
    ):
        op.create_index(f"ix_trouble_ticket_{'_'.join(columns)}", "trouble_ticket", columns)


def _mass_faults() -> None:
    op.create_table(
        "mass_fault",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("node", sa.String(64), nullable=False),
        sa.Column("pon", sa.String(64), nullable=False),
        sa.Column("area", sa.String(64)),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("opened_by", sa.String(200)),
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id")),
        sa.Column("alarm_id", KEY),
        sa.Column("told", sa.String(500)),
        sa.Column("expected_at", sa.BigInteger),
        sa.Column("cause_code", sa.String(64)),
        sa.Column("segment", sa.String(200)),
        sa.Column("proposed_at", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.BigInteger),
        sa.Column("restored_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("ix_mass_fault_state_id", "mass_fault", ["state", "id"])
    op.create_index(
        "uq_mass_fault_place",
        "mass_fault",
        ["node", "pon"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "mass_fault_child",
        sa.Column("fault_id", sa.String(40), sa.ForeignKey("mass_fault.id"), primary_key=True),
        sa.Column("ticket_id", sa.String(40), sa.ForeignKey("trouble_ticket.id"), primary_key=True),
        sa.Column("result", sa.String(8), nullable=False),
        sa.Column("joined_at", sa.BigInteger, nullable=False),
        sa.Column("tested_at", sa.BigInteger),
    )


def _planned_work() -> None:
    op.create_table(
        "planned_work",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("node", sa.String(64), nullable=False),
        sa.Column("pon", sa.String(64), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("from_at", sa.BigInteger, nullable=False),
        sa.Column("until_at", sa.BigInteger, nullable=False),
        sa.Column("announced_at", sa.BigInteger, nullable=False),
        sa.Column("announced_by", sa.String(200), nullable=False),
    )
    op.create_index("ix_planned_work_node_until_at", "planned_work", ["node", "until_at"])


def _alarms() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("external_id", sa.String(100), nullable=False),
        sa.Column("root_id", KEY, sa.ForeignKey("alarm.id")),
        sa.Column("object", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("severity", sa.String(64), nullable=False),
        sa.Column("text", sa.String(500)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("raises", sa.Integer, nullable=False),
        sa.Column("result_id", sa.String(40)),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("cleared_at", sa.BigInteger),
        sa.UniqueConstraint("source", "external_id"),
    )
    op.create_index("ix_alarm_root_id", "alarm", ["root_id"])
    op.create_index("ix_alarm_raised_at_id", "alarm", ["raised_at", "id"])
