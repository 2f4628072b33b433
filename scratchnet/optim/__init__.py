"""Optimizers, schedules and clipping: all of them act on flat stores."""

from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Optimizer"]
