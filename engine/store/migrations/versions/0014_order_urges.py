"""Urging an order: a row for each urge, and how often an order was urged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up INTEGER keys only


def upgrade() -> None:
    """Makes the table and the column; no order was urged before. Who may ask for a cancellation may urge."""
    op.execute("UPDATE role SET rights = rights || ' urge_order' WHERE rights LIKE '%cancel_order%'")
    op.add_column("service_order", sa.Column("urges", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "order_urge",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.String(40), sa.ForeignKey("service_order.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("text", sa.String(500)),
        sa.Column("urged_by", sa.String(200), nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("told", sa.JSON, nullable=False),
        sa.Column("tasks", sa.JSON, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("answered_by", sa.String(200)),
        sa.Column("promised_at", sa.BigInteger),
        sa.Column("answer", sa.String(500)),
        sa.Column("escalated_at", sa.BigInteger),
        sa.Column("broken_at", sa.BigInteger),
        sa.UniqueConstraint("order_id", "number"),
    )
    op.create_index("ix_order_urge_due_at", "order_urge", ["due_at"])
