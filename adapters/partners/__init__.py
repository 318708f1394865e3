"""Adapters to partners who build the last mile for us."""

from adapters.partners.orders import PartnerAdapter

__all__ = ["PartnerAdapter"]
