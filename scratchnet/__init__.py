"""scratchnet: a neural-net engine from scratch, every gradient hand-written, proven, fast, and open to look at."""

from scratchnet.core import Network, Sequential
from scratchnet.layers import *  # noqa: F403
from scratchnet.layers import __all__ as _layers
from scratchnet.losses import *  # noqa: F403
from scratchnet.losses import __all__ as _losses
from scratchnet.optim import *  # noqa: F403
from scratchnet.optim import __all__ as _optim

__version__ = "0.1.0"
__all__ = ["Network", "Sequential", "__version__", *_layers, *_losses, *_optim]
