"""Amending an order: its versions, and items that begin again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Makes the table and the columns; every order is in its first version. Who may cancel may amend."""
    op.execute("UPDATE role SET rights = rights || ' amend_order' WHERE rights LIKE '%cancel_order%'")
    op.add_column("service_order", sa.Column("revision", sa.Integer, nullable=False, server_default="1"))
    op.add_column("order_item", sa.Column("redo", sa.JSON))
    op.create_table(
        "order_version",
        sa.Column("order_id", sa.String(40), sa.ForeignKey("service_order.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("came_at", sa.BigInteger, nullable=False),
        sa.Column("came_from", sa.String(200), nullable=False),
        sa.Column("items", sa.JSON, nullable=False),
    )
