"""One module per step, each plain Alembic operations: no step imports a model, so it stays what it was."""
