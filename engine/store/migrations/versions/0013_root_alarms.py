"""The root that an alarm names, which may come after it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """A column."""
    op.add_column("alarm", sa.Column("root_name", sa.String(100)))
