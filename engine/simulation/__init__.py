"""Trying a diagram out: the product's own kernel and worker on a store in memory, with a clock that jumps, and stubs.

No order, no outside system and no person is touched.
"""

from engine.simulation.answers import Answer, Answers, BadAnswers
from engine.simulation.run import Simulation, Trial, simulate

__all__ = ["Answer", "Answers", "BadAnswers", "Simulation", "Trial", "simulate"]
