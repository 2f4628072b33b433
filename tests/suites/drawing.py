"""The strategies that the suites draw from, under their short names."""

from scratchnet.check import strategies
from scratchnet.check.strategies import HypothesisDraw

__all__ = ["HypothesisDraw", "batches", "seeds"]

seeds = strategies.seeds()
batches = strategies.batches()
