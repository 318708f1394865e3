"""Orders to partners, and what partners tell of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up INTEGER keys only
TIMES = (
    *("sent_at", "received_at", "accepted_at", "appointed_at", "on_site_at", "done_at", "sent_back_at"),
    *("confirmed_at", "refused_at", "stop_asked_at", "stopped_at"),
)


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "partner_order",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id"), nullable=False),
        sa.Column("business_key", sa.String(40), nullable=False),
        sa.Column("partner", sa.String(64), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("partner_number", sa.String(64)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("visit", sa.Integer, nullable=False),
        sa.Column("window_from", sa.BigInteger),
        sa.Column("window_to", sa.BigInteger),
        sa.Column("refusal_code", sa.String(64)),
        sa.Column("refusal_reason", sa.String(500)),
        sa.Column("stop_outcome", sa.String(12)),
        sa.Column("proof", sa.JSON),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in TIMES),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("business_key", "attempt"),
    )
    op.create_index("ix_partner_order_partner_state_id", "partner_order", ["partner", "state", "id"])
    op.create_index("ix_partner_order_instance_id", "partner_order", ["instance_id"])
    op.create_table(
        "partner_message",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("partner", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(100), nullable=False),
        sa.Column("partner_order_id", sa.String(40), sa.ForeignKey("partner_order.id"), nullable=False),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("is_applied", sa.Boolean, nullable=False),
        sa.Column("heard_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("partner", "message_id"),
    )
    op.create_index("ix_partner_message_partner_order_id_id", "partner_message", ["partner_order_id", "id"])
