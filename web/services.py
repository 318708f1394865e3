"""What the screens and interfaces need from below, handed over by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

from engine.clock import Clock
from engine.config import Settings
from engine.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.registry import Registry
    from engine.deploy.definitions import Definitions
    from engine.orders.states import OrderStates
    from engine.ports import Desk, OrderListener
    from engine.runtime.kernel import Kernel


@dataclass(frozen=True)
class Services:
    """One per process."""

    settings: Settings
    store: Store
    clock: Clock
    kernel: Kernel = None  # type: ignore[assignment]
    registry: Registry = None  # type: ignore[assignment]
    definitions: Definitions = None  # type: ignore[assignment]
    states: OrderStates = None  # type: ignore[assignment]
    order_listeners: Sequence[OrderListener] = ()
    desk: Desk = None  # type: ignore[assignment]


def services() -> Services:
    """The services of the application that answers this request."""
    found: Services = current_app.extensions["kaitong"]
    return found
