"""Open tasks of an instance are found without its closed ones; nobody asks for the tasks of a version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    """Makes the one index and drops the other."""
    op.create_index(
        "ix_task_instance_id_rank_at_id",
        "task",
        ["instance_id", "rank_at", "id"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.drop_index("ix_task_definition_id", "task")
