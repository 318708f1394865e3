"""Adapters to network systems."""

from adapters.network.aaa import AaaAdapter
from adapters.network.olt import OltAdapter
from adapters.network.router import RouterAdapter
from adapters.network.voice import VoiceAdapter

__all__ = ["AaaAdapter", "OltAdapter", "RouterAdapter", "VoiceAdapter"]
