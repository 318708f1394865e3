"""What Alembic runs for each command: the steps, on the connection and in the transaction that the caller opened."""

from __future__ import annotations

from alembic import context

from engine.store.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,  # for its rule how constraints are named; no model needs to be loaded
)
with context.begin_transaction():
    context.run_migrations()
