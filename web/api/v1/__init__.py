"""Our own interface, /api/v1: tasks, orders, instances, incidents, definitions, tokens."""

from web.api.v1.blueprint import blueprint

__all__ = ["blueprint"]
