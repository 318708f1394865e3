"""Customer data for callers that may not see it: the first character of a name, a street without its number."""

from __future__ import annotations

import re

from engine.identity.actor import Actor

_NUMBER = re.compile(r"[0-9０-９]")


def customer(name: str | None, actor: Actor) -> str | None:
    """`王**`."""
    return name if not name or actor.can("see_customer_data") else f"{name[0]}**"


def phone(number: str | None, actor: Actor) -> str | None:
    """`138****4021`."""
    if not number or actor.can("see_customer_data"):
        return number
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 9 else "****"


def address(text: str | None, actor: Actor) -> str | None:
    """`汀兰路***`."""
    if not text or actor.can("see_customer_data"):
        return text
    return f"{_NUMBER.split(text, maxsplit=1)[0][:12]}***"
