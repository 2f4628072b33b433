"""Optimizers, schedules and clipping: all of them act on flat stores."""

from .adam import Adam
from .adamw import AdamW
from .clipping import NonFiniteGradientError, clip_factor, global_norm, parameter_norms
from .optimizer import Optimizer
from .plateau import ReduceOnPlateau
from .rmsprop import RMSprop
from .schedules import Constant, Cosine, OneCycle, Schedule, StepDecay, Warmup
from .sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "NonFiniteGradientError",
    "OneCycle",
    "Optimizer",
    "RMSprop",
    "ReduceOnPlateau",
    "Schedule",
    "StepDecay",
    "Warmup",
    "clip_factor",
    "global_norm",
    "parameter_norms",
]
