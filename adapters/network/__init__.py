"""Adapters to network systems."""

from adapters.network.aaa import AaaAdapter

__all__ = ["AaaAdapter"]
