"""The contract: layers, stores, runs, tapes and the network that joins them."""

from .case import Case, Draw, RandomDraw
from .composite import Composite
from .errors import BackendError, ConfigError, DtypeError, ScratchnetError, ShapeError, TapeError, TargetError
from .initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    Normal,
    Ones,
    Orthogonal,
    Zeros,
)
from .layer import LAYERS, Layer, ParamSpec, layer
from .loss import LOSSES, Loss, LossCase, loss
from .network import Network
from .plan import Plan
from .run import Run
from .sequential import Sequential
from .store import Store
from .tape import Tape

__all__ = [
    "LAYERS",
    "LOSSES",
    "BackendError",
    "Case",
    "Composite",
    "ConfigError",
    "Constant",
    "Draw",
    "DtypeError",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "Layer",
    "Loss",
    "LossCase",
    "Network",
    "Normal",
    "Ones",
    "Orthogonal",
    "ParamSpec",
    "Plan",
    "RandomDraw",
    "Run",
    "ScratchnetError",
    "Sequential",
    "ShapeError",
    "Store",
    "Tape",
    "TapeError",
    "TargetError",
    "Zeros",
    "layer",
    "loss",
]
