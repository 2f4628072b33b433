"""The losses, one a file. Importing the package imports every file in it, so that a new loss is one new file."""

from importlib import import_module
from pkgutil import iter_modules

from .bce_with_logits import BCEWithLogits
from .huber import Huber
from .mae import MAE
from .mse import MSE
from .softmax_cross_entropy import SoftmaxCrossEntropy

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = [
    "MAE",
    "MSE",
    "BCEWithLogits",
    "Huber",
    "SoftmaxCrossEntropy",
]
