"""Subscriptions tell messages from signals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds the column; what is there waits for messages."""
    with op.batch_alter_table("subscription") as table:
        table.add_column(sa.Column("kind", sa.String(12), nullable=False, server_default="message"))
    with op.batch_alter_table("subscription") as table:
        table.alter_column("kind", server_default=None)
