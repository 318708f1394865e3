"""Adapters to the CRM: order reports, and the events that its listeners asked for."""

from adapters.crm.callback import CallbackSender
from adapters.crm.report import CrmAdapter

__all__ = ["CallbackSender", "CrmAdapter"]
