"""Forward and backward pairs in the style of a course, and realistic mistakes in them."""

import numpy as np

rng = np.random.default_rng(3)


def normal(*shape):
    return rng.normal(size=shape)


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(0)


def relu_forward(x):
    return np.maximum(x, 0), x


def softmax_forward(x):
    e = np.exp(x - x.max(1, keepdims=True))
    q = e / e.sum(1, keepdims=True)
    return q, q


def softmax_backward(dout, q):
    return q * (dout - (dout * q).sum(1, keepdims=True))


def layernorm_forward(x, gamma):
    mean = x.mean(1, keepdims=True)
    std = np.sqrt(((x - mean) ** 2).mean(1, keepdims=True) + 1e-5)
    return gamma * (x - mean) / std, ((x - mean) / std, std, gamma)


def layernorm_backward(dout, cache):
    xhat, std, gamma = cache
    d = dout * gamma
    dx = (d - d.mean(1, keepdims=True) - xhat * (d * xhat).mean(1, keepdims=True)) / std
    return dx, (dout * xhat).sum(0)


def conv1d_forward(x, w):
    """Valid cross-correlation of a vector."""
    return np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)]), (x, w)


def conv1d_backward(dout, cache):
    x, w = cache
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i, d in enumerate(dout):
        dx[i : i + len(w)] += d * w
        dw += d * x[i : i + len(w)]
    return dx, dw


def overlapping(dout, cache):
    x, w = cache
    dx = np.zeros_like(x)
    for i, d in enumerate(dout):
        dx[i : i + len(w)] = d * w
    return dx, conv1d_backward(dout, cache)[1]


def loss_forward(z, t):
    shifted = z - z.max(1, keepdims=True)
    log_q = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return np.asarray(-log_q[np.arange(len(t)), t].mean()), (np.exp(log_q), t)


def loss_backward(dout, cache):
    q, t = cache
    return dout * (q - np.eye(q.shape[1])[t]) / len(t)


def by_name(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return {"db": db, "dx": dx, "w": dw}


def conv1d_not_flipped(dout, cache):
    dx, dw = conv1d_backward(dout, cache)
    return dx, dw[::-1].copy()


def reversed_rows(dout, x):
    return (2 * x * dout)[:, ::-1].copy()


def no_gamma(dout, cache):
    return layernorm_backward(dout, (*cache[:2], np.ones(6)))


def last_column(dout, cache):
    return affine_backward(dout, cache)[1] * [1, 1, 1, 1, 1.01]


AFFINE = {"x": normal(4, 2, 3), "w": normal(6, 5), "b": normal(5)}
SQUARE = {"x": normal(4, 6), "w": normal(6, 6), "b": normal(6)}
IMAGE = {"x": normal(5, 6)}
NORM = {"x": normal(5, 6), "gamma": normal(6)}
VECTORS = {"x": normal(9), "w": normal(3)}
LOGITS = {"z": normal(4, 3), "t": np.array([0, 2, 1, 2])}
TIES = {"x": rng.integers(-2, 3, (5, 6)).astype(float)}

RIGHT = {
    "affine": (affine_forward, affine_backward, AFFINE),
    "relu": (relu_forward, lambda dout, x: dout * (x > 0), IMAGE),
    "relu at ties": (relu_forward, lambda dout, x: dout * (x > 0), TIES),
    "relu at ties, other subgradient": (relu_forward, lambda dout, x: dout * (x >= 0), TIES),
    "softmax": (softmax_forward, softmax_backward, IMAGE),
    "softmax, large": (softmax_forward, softmax_backward, {"x": 30 * normal(5, 6)}),
    "layer norm": (layernorm_forward, layernorm_backward, NORM),
    "conv": (conv1d_forward, conv1d_backward, VECTORS),
    "loss": (loss_forward, loss_backward, LOGITS),
    "by name": (affine_forward, by_name, AFFINE),
    "large": (lambda x: (x**3, x), lambda dout, x: 3 * x**2 * dout, {"x": normal(20, 1000)}),
    "steep": (lambda x: (np.exp(20 * x), x), lambda dout, x: 20 * np.exp(20 * x) * dout, IMAGE),
    "small": (lambda x: (1e-6 * np.tanh(x), x), lambda dout, x: 1e-6 * dout / np.cosh(x) ** 2, IMAGE),
}  # fmt: skip


def with_affine(**changed):
    """The affine backward with some of its gradients replaced by functions of (dout, cache)."""

    def backward(dout, cache):
        right = dict(zip("xwb", affine_backward(dout, cache), strict=True))
        return tuple(changed[name](dout, cache) if name in changed else right[name] for name in "xwb")

    return backward


MUTANTS = {
    "sign": (affine_forward, with_affine(w=lambda d, c: -affine_backward(d, c)[1]), AFFINE, "w", "sign"),
    "twice": (affine_forward, with_affine(x=lambda d, c: 2 * affine_backward(d, c)[0]), AFFINE, "x", "constant factor"),
    "mean for sum": (affine_forward, with_affine(b=lambda d, c: d.mean(0)), AFFINE, "b", "constant factor"),
    "transposed": (affine_forward, with_affine(w=lambda d, c: affine_backward(d, c)[1].T), SQUARE, "w", "transpose"),
    "zeros": (affine_forward, with_affine(x=lambda d, c: np.zeros_like(c[0])), AFFINE, "x", "gradient missing"),
    "axis not summed": (affine_forward, with_affine(b=lambda d, c: d[0].copy()), AFFINE, "b", "axis not summed"),
    "W for Wᵀ": (affine_forward, with_affine(x=lambda d, c: d @ c[1]), SQUARE, "x", "transpose"),
    "rows mixed": (affine_forward, with_affine(x=lambda d, c: np.roll(d @ c[1].T, 1, 0)), SQUARE, "x", "rows mixed"),
    "mask of dout": (relu_forward, lambda d, x: d * (d > 0), IMAGE, "x", "mask"),
    "mask upside down": (relu_forward, lambda d, x: d * (x < 0), IMAGE, "x", "mask"),
    "no mask": (relu_forward, lambda d, x: d * 1.0, IMAGE, "x", "mask"),
    "dout forgotten": (relu_forward, lambda d, x: (x > 0) * 1.0, IMAGE, "x", "cotangent ignored"),
    "dout squared": (relu_forward, lambda d, x: (x > 0) * d * np.abs(d), IMAGE, "x", "cotangent twice"),
    "diagonal only": (softmax_forward, lambda d, q: q * d, IMAGE, "x", "term missing"),
    "zero backward": (softmax_forward, lambda d, q: np.zeros_like(q), IMAGE, "x", "gradient missing"),
    "variance constant": (
        layernorm_forward,
        lambda d, c: ((d * c[2] - (d * c[2]).mean(1, keepdims=True)) / c[1], (d * c[0]).sum(0)),
        {"x": normal(5, 6), "gamma": np.full(6, 1.5)},
        "x",
        "term missing",
    ),
    "gamma forgotten": (layernorm_forward, no_gamma, NORM, "x", "array factor"),
    "overlaps overwritten": (conv1d_forward, overlapping, VECTORS, "x", "window"),
    "not flipped": (conv1d_forward, conv1d_not_flipped, VECTORS, "w", "flip"),
    "no 1/N": (loss_forward, lambda d, c: len(c[1]) * loss_backward(d, c), LOGITS, "z", "constant factor"),
    "upstream ignored": (loss_forward, lambda d, c: loss_backward(1.0, c), LOGITS, "z", "cotangent ignored"),
    "last column": (affine_forward, with_affine(w=last_column), AFFINE, "w", "border"),
    "reversed, large": (lambda x: (x**2, x), reversed_rows, {"x": normal(10, 1000)}, "x", "flip"),
    "one wrong part in ten thousand": (lambda x: (x**2, x), lambda d, x: 2.0002 * x * d, IMAGE, "x", "constant factor"),
}  # fmt: skip
