"""People, their roles and areas, sessions and tokens; and the one place that says who may do and see what."""

from engine.identity.actor import SYSTEM, Actor
from engine.identity.rights import RIGHTS

__all__ = ["RIGHTS", "SYSTEM", "Actor"]
