"""Simulators of the outside world. They keep their own files, count every effect, and can be told to fail."""

from adapters.addresses import SimulatorAddresses
from adapters.sim.server import RunningSimulators, running_simulators, serve

__all__ = ["RunningSimulators", "SimulatorAddresses", "running_simulators", "serve"]
