"""Messages that are kept until somebody waits for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up INTEGER keys only


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "buffered_message",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("message_id", sa.String(200)),
        sa.Column("values", sa.JSON, nullable=False),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index("ix_buffered_message_name_key_id", "buffered_message", ["name", "key", "id"])
    op.create_index("ix_buffered_message_expires_at", "buffered_message", ["expires_at"])
