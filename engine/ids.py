"""Random public identifiers. Numbers that people read come from `engine.orders.numbering`."""

from __future__ import annotations

import secrets

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_id(prefix: str, length: int = 16) -> str:
    """`prefix-` and random characters without look-alikes; 16 of them hold 79 bits."""
    return f"{prefix}-" + "".join(secrets.choice(_ALPHABET) for _ in range(length))
