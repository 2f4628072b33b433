"""scratchnet: a neural-net engine from scratch, every gradient hand-written, proven, fast, and open to look at.

Networks, layers, losses and optimizers are here; data sets in `scratchnet.data`, schedules and clipping in
`scratchnet.optim`, what a layer of your own is made of in `scratchnet.core`, the checks in `scratchnet.check`.
"""

from scratchnet.core import Network
from scratchnet.layers import *  # noqa: F403
from scratchnet.layers import __all__ as _layers
from scratchnet.losses import *  # noqa: F403
from scratchnet.losses import __all__ as _losses
from scratchnet.optim import SGD, Adam, AdamW, RMSprop

__version__ = "0.1.0"
__all__ = ["SGD", "Adam", "AdamW", "Network", "RMSprop", "__version__", *_layers, *_losses]
