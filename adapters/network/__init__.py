"""Adapters to network systems."""

from adapters.network.aaa import AaaAdapter
from adapters.network.olt import OltAdapter

__all__ = ["AaaAdapter", "OltAdapter"]
