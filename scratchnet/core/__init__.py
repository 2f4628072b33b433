"""The contract: layers, stores, runs, tapes and the network that joins them."""

from scratchnet_kernels import OpTable

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
    Uniform,
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
from .types import Array, Leaves, Shape, Views

__all__ = [
    "LAYERS",
    "LOSSES",
    "Array",
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
    "Leaves",
    "Loss",
    "LossCase",
    "Network",
    "Normal",
    "Ones",
    "OpTable",
    "Orthogonal",
    "ParamSpec",
    "Plan",
    "RandomDraw",
    "Run",
    "ScratchnetError",
    "Sequential",
    "Shape",
    "ShapeError",
    "Store",
    "Tape",
    "TapeError",
    "TargetError",
    "Uniform",
    "Views",
    "Zeros",
    "layer",
    "loss",
]
