"""What an order's sender is told on the way: milestones, alerts, and questions that wait for him."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up INTEGER keys only


def upgrade() -> None:
    """Makes the three tables."""
    op.create_table(
        "order_milestone",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.String(40), sa.ForeignKey("service_order.id"), nullable=False),
        sa.Column("item_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_order_milestone_order_id", "order_milestone", ["order_id"])
    op.create_table(
        "jeopardy_alert",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.String(40), sa.ForeignKey("service_order.id"), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("percent", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_jeopardy_alert_order_id", "jeopardy_alert", ["order_id"])
    op.create_table(
        "order_question",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.String(40), sa.ForeignKey("service_order.id"), nullable=False),
        sa.Column("item_id", sa.String(64), nullable=False),
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id"), nullable=False),
        sa.Column("token_id", sa.Integer, nullable=False),
        sa.Column("field", sa.String(200), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("ix_order_question_order_id", "order_question", ["order_id"])
    op.create_index("ix_order_question_instance_id", "order_question", ["instance_id"])
