"""Promises about time: policies, clocks, their rungs, and the ticker that fires them."""
