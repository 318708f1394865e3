"""Adapters to network systems."""

from adapters.network.aaa import AaaAdapter
from adapters.network.line import LineAdapter
from adapters.network.olt import OltAdapter
from adapters.network.router import RouterAdapter
from adapters.network.voice import VoiceAdapter

__all__ = ["AaaAdapter", "LineAdapter", "OltAdapter", "RouterAdapter", "VoiceAdapter"]
