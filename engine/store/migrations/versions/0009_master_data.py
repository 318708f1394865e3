"""Master data: calendars, and more columns of policies, products and crews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """New tables; columns that rows of before fill with what was meant without saying it."""
    op.create_table(
        "work_calendar",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("hours", sa.JSON, nullable=False),
        sa.Column("holidays", sa.Boolean, nullable=False),
    )
    op.create_table(
        "special_day",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("works", sa.Boolean, nullable=False),
    )
    op.add_column("reason_code", sa.Column("approver", sa.String(64)))
    op.add_column("sla_policy", sa.Column("tier", sa.String(64)))
    op.add_column("sla_policy", sa.Column("area", sa.String(64)))
    op.add_column("sla_policy", sa.Column("calendar", sa.String(64), nullable=False, server_default="C24"))
    op.add_column("sla_policy", sa.Column("limit_days", sa.Integer))
    op.add_column("sla_policy", sa.Column("same_day_before", sa.String(5)))
    op.add_column("product", sa.Column("parts", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("crew", sa.Column("people", sa.Integer, nullable=False, server_default="0"))
    op.add_column("crew", sa.Column("visits_a_day", sa.Integer, nullable=False, server_default="6"))
    op.add_column("crew", sa.Column("window_minutes", sa.Integer, nullable=False, server_default="120"))
