"""What an amended order asks for differently, item by item. Pure: nothing is read, nothing is written.

Names are those of the instance's variables. How much of a difference has to be redone depends on its names alone here;
whether something was told to the outside already is known by `engine.orders.amending`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.orders.intake import FieldError, NewItem, PlaceOrder

How = Literal["in_place", "if_untold", "redo"]

CONTACT = frozenset({"customer", "phone", "wished_window", "credit_state", "tier"})
"""Nothing has to be done again: whoever has the order in hand is told."""
OFFER = frozenset({"product", "speed_mbps"})
"""Changed in place as long as no system outside knows it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One variable. `before` and `after` are None where it is not given."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """All that an item asks for differently."""

    item_id: str
    changes: tuple[Change, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables, sorted."""
        return tuple(sorted(change.name for change in self.changes))

    @property
    def values(self) -> dict[str, Any]:
        """The new values."""
        return {change.name: change.after for change in self.changes}

    @property
    def how(self) -> How:
        """The most that one of its changes asks for."""
        names = set(self.names)
        if names <= CONTACT:
            return "in_place"
        return "if_untold" if names <= CONTACT | OFFER else "redo"


def difference(before: PlaceOrder, after: PlaceOrder) -> list[ItemDifference]:
    """The items that differ. Raises `FieldError` where it is no longer the same order: other items, another action."""
    if before.external_id != after.external_id:
        raise FieldError(field="externalId", detail="an order keeps it")
    known = {item.item_id: item for item in before.items}
    if set(known) != {item.item_id for item in after.items}:
        wanted = ", ".join(sorted(known))
        raise FieldError(field="serviceOrderItem", detail=f"an amended order has the same items: {wanted}")
    found = []
    for position, item in enumerate(after.items):
        was = known[item.item_id]
        _same_kind(was, item, position)
        changes = _changes(values_of(before, was), values_of(after, item))
        if changes:
            found.append(ItemDifference(item.item_id, changes))
    return found


def values_of(order: PlaceOrder, item: NewItem) -> dict[str, Any]:
    """What an order says of an item, as variables."""
    return {
        **item.values,
        "product": item.product,
        "customer": order.customer,
        "phone": order.phone,
        "area": order.area,
        "address": order.address,
        "tier": order.tier,
    }


def _same_kind(was: NewItem, now: NewItem, position: int) -> None:
    for name, one, other in (
        ("action", was.action, now.action),
        ("orderType", was.order_type, now.order_type),
    ):
        if one != other:
            raise FieldError(
                field=f"serviceOrderItem[{position}].{name}", detail=f"an amended item keeps it: {one}"
            )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    names = sorted({*before, *after})
    return tuple(
        Change(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )
