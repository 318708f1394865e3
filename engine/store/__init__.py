"""The database: shared metadata, sessions, migrations. Tables live beside the code that owns them, in `model.py`."""

from engine.store.base import Base, UtcMillis
from engine.store.session import Store

__all__ = ["Base", "Store", "UtcMillis"]
