"""TMF641 Service Ordering v4, as CRMs call it: serviceOrder, cancelServiceOrder, hub."""

from web.api.tmf641 import cancelling, hub, orders, patching
from web.api.tmf641.blueprint import blueprint

__all__ = ["blueprint", "cancelling", "hub", "orders", "patching"]
