"""The checks that every layer and every loss of the registries must pass, and that a newcomer's layer meets."""

from .errors import CheckError, VacuousError
from .layers import check_contract, check_gradients, check_objects, check_parity
from .losses import check_loss

__all__ = [
    "CheckError",
    "VacuousError",
    "check_contract",
    "check_gradients",
    "check_loss",
    "check_objects",
    "check_parity",
]
