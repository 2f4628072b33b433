"""The layers, one a file. Importing the package imports every file in it, so that a new layer is one new file."""

from importlib import import_module
from pkgutil import iter_modules

from scratchnet.core.sequential import Sequential

from .avg_pool2d import AvgPool2d
from .batch_norm import BatchNorm1d, BatchNorm2d
from .conv1d import Conv1d
from .conv2d import Conv2d
from .conv_transpose2d import ConvTranspose2d
from .dense import Dense
from .dropout import Dropout
from .elu import ELU
from .embedding import Embedding
from .flatten import Flatten
from .gelu import GELU
from .global_avg_pool2d import GlobalAvgPool2d
from .group_norm import GroupNorm
from .gru import GRU
from .layer_norm import LayerNorm
from .leaky_relu import LeakyReLU
from .log_softmax import LogSoftmax
from .lstm import LSTM
from .max_pool2d import MaxPool2d
from .multi_head_attention import MultiHeadAttention, QueryMemory
from .parallel import Parallel
from .positional_embedding import PositionalEmbedding
from .relu import ReLU
from .reshape import Reshape
from .residual import Residual
from .rms_norm import RMSNorm
from .rnn import RNN
from .sigmoid import Sigmoid
from .silu import SiLU
from .softmax import Softmax
from .softplus import Softplus
from .square import Square
from .tanh import Tanh

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAvgPool2d",
    "GroupNorm",
    "LayerNorm",
    "LeakyReLU",
    "LogSoftmax",
    "MaxPool2d",
    "MultiHeadAttention",
    "Parallel",
    "PositionalEmbedding",
    "QueryMemory",
    "RMSNorm",
    "ReLU",
    "Reshape",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Square",
    "Tanh",
]
