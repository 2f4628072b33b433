"""Data: the MNIST family and CIFAR-10 from files, digits drawn without any, and minibatches of them."""

from .augment import Augment
from .cifar import read_cifar10
from .dataset import Dataset, load
from .drawn import drawn
from .errors import DataError, UnavailableError
from .idx import read_idx, write_idx
from .loader import Batches
from .split import Split

__all__ = [
    "Augment",
    "Batches",
    "DataError",
    "Dataset",
    "Split",
    "UnavailableError",
    "drawn",
    "load",
    "read_cifar10",
    "read_idx",
    "write_idx",
]
