"""What a product takes for characteristics that its orders leave out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds the column; products that are there have no defaults."""
    op.add_column("product", sa.Column("defaults", sa.JSON))
