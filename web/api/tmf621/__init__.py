"""TMF621 Trouble Ticket v4, as CRMs call it: troubleTicket, hub."""

from web.api.tmf621 import hub, patching, tickets
from web.api.tmf621.blueprint import blueprint

__all__ = ["blueprint", "hub", "patching", "tickets"]
