"""Times PyTorch's ops on the cases of `kernels.py`: a forward that keeps what its backward needs, and the backward.

The backward is torch.autograd.grad with respect to the input and every parameter, on a graph that is kept.
"""

from __future__ import annotations

from typing import Any

import torch
from _kernel_cases import CASES
from _timing import median_seconds
from torch import nn
from torch.nn import functional as F


def layer(which: int, seconds: float, threads: int) -> dict[str, float]:
    """Seconds of forward and backward."""
    torch.set_num_threads(threads)
    case = CASES[which]
    if case.torch is None:
        return {}
    module: Any = case.torch(nn)
    shape = (case.batch, *case.shape)
    x = torch.randint(case.below, shape) if case.below else torch.randn(shape, requires_grad=True)

    def forward() -> Any:
        y = module(x, x, x, need_weights=False) if isinstance(module, nn.MultiheadAttention) else module(x)
        return y[0] if isinstance(y, tuple) else y

    y = forward()
    dy, wanted = torch.randn_like(y), [*([] if case.below else [x]), *module.parameters()]
    return {
        "forward": median_seconds(forward, seconds),
        "backward": median_seconds(lambda: torch.autograd.grad(y, wanted, dy, retain_graph=True), seconds),
    }


def beside(which: str, seconds: float, threads: int) -> dict[str, float]:
    """Loader, loss, optimizers."""
    torch.set_num_threads(threads)
    if which == "gather_scale":
        images, index = torch.randint(256, (60_000, 784), dtype=torch.uint8), torch.randint(60_000, (128,))
        return {"forward": median_seconds(lambda: images.index_select(0, index).float().mul_(1 / 255), seconds)}
    if which == "gather_augment":
        return {}  # of samples that each move by their own there is no single op
    if which == "softmax_cross_entropy":
        z, t = torch.randn(128, 10, requires_grad=True), torch.randint(10, (128,))
        value = F.cross_entropy(z, t)
        return {
            "forward": median_seconds(lambda: F.cross_entropy(z, t), seconds),
            "backward": median_seconds(lambda: torch.autograd.grad(value, [z], retain_graph=True), seconds),
        }
    p = torch.randn(100_000, requires_grad=True)
    p.grad = torch.randn(100_000)
    name, _, zero = which.partition(", ")
    make: Any = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}.get(name, torch.optim.SGD)
    opt = make([p], lr=1e-6, **({"foreach": True} if name == "rmsprop" else {"fused": True}))

    def step() -> None:
        if which != "zero_grad":
            opt.step()
        if zero or which == "zero_grad":
            opt.zero_grad(set_to_none=False)

    return {"forward": median_seconds(step, seconds)}
