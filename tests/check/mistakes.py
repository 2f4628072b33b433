"""Twenty right functions and realistic mistakes in their backwards, for the test of explanations.

A backward takes (dout, cache, wrong): the empty string is the right one, any other names the mistake.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def dense(x, w, b):
    return x @ w + b, (x, w)


def dense_back(d, c, wrong):
    x, w = c
    dx = d @ (w if wrong == "w not transposed" else w.T)
    dw = {
        "dw negated": lambda: -x.T @ d, "dw averaged": lambda: x.T @ d / len(x), "dw transposed": lambda: d.T @ x,
        "dw of squared dout": lambda: x.T @ (d * d), "dw of ones": lambda: x.T @ np.ones_like(d),
        "dw of all but the last row": lambda: x[:-1].T @ d[:-1], "dw zero": lambda: 0 * w,
        "dw decayed": lambda: x.T @ d + 0.1 * w, "dw of dout shifted": lambda: x.T @ np.roll(d, 1, 0),
        "dw clipped": lambda: x.T @ np.clip(d, -1, 1),
    }.get(wrong, lambda: x.T @ d)()  # fmt: skip
    db = d[0].copy() if wrong == "db of one row" else d.mean(0) if wrong == "db averaged" else d.sum(0)
    if wrong == "dx of the next row":
        dx = np.roll(dx, 1, 0)
    return dx, dw, db


def conv1d(x, w):
    """Valid cross-correlation. (N, L), (k) -> (N, L - k + 1)"""
    return sliding_window_view(x, len(w), 1) @ w, (x, w)


def conv1d_back(d, c, wrong):
    x, w = c
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    steps = range(d.shape[1])
    for i in steps[:-1] if wrong == "last window left out" else steps:
        used = w[::-1] if wrong == "kernel flipped" else w
        if wrong == "overlaps overwritten":
            dx[:, i : i + len(w)] = d[:, i : i + 1] * used
        else:
            dx[:, i : i + len(w)] += d[:, i : i + 1] * used
        dw += d[:, i] @ x[:, i : i + len(w)]
    if wrong == "dw backwards":
        dw = dw[::-1].copy()
    if wrong == "dw of the first sample":
        dw = d[0] @ sliding_window_view(x[0], len(w))
    return dx, dw


def conv2d(x, w):
    """Same-size cross-correlation. (N, H, W), (3, 3) -> (N, H, W)"""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    return np.einsum("nhwij,ij->nhw", sliding_window_view(padded, (3, 3), (1, 2)), w), (padded, w)


def conv2d_back(d, c, wrong):
    padded, w = c
    dp = np.zeros_like(padded)
    _, height, width = d.shape
    for i in range(3):
        for j in range(3):
            used = {"kernel not flipped": w[2 - i, 2 - j], "kernel transposed": w[j, i]}.get(wrong, w[i, j])
            dp[:, i : i + height, j : j + width] += d * used
    dx = dp[:, :-2, :-2] if wrong == "cropped at the end" else dp[:, 1:-1, 1:-1]
    dw = np.einsum("nhwij,nhw->ij", sliding_window_view(padded, (3, 3), (1, 2)), d)
    if wrong == "dw averaged over pixels":
        dw = dw / (height * width)
    if wrong == "dw transposed":
        dw = dw.T.copy()
    return dx.copy(), dw


def max_pool(x):
    """Windows of 3, stride 2. (N, L) -> (N, (L - 3)//2 + 1)"""
    windows = sliding_window_view(x, 3, 1)[:, ::2]
    return windows.max(-1), (x, windows.argmax(-1))


def max_pool_back(d, c, wrong):
    x, where = c
    dx = np.zeros_like(x)
    for i in range(d.shape[1]):
        rows, at = np.arange(len(x)), 2 * i + where[:, i]
        if wrong == "overwritten":
            dx[rows, at] = d[:, i]
        elif wrong == "to all of the window":
            dx[:, 2 * i : 2 * i + 3] += d[:, i : i + 1]
        else:
            dx[rows, at] += d[:, i]
    if wrong == "last window lost":
        dx[np.arange(len(x)), 2 * (d.shape[1] - 1) + where[:, -1]] -= d[:, -1]
    return (dx,)


def norm(x, gamma, axes):
    mean = x.mean(axes, keepdims=True)
    istd = 1 / np.sqrt(x.var(axes, keepdims=True) + 1e-3)
    return gamma * (x - mean) * istd, ((x - mean) * istd, istd, gamma, axes, x)


def norm_back(d, c, wrong):
    xhat, istd, gamma, axes, x = c
    g = d if wrong == "gamma forgotten" else gamma * gamma * d if wrong == "gamma twice" else gamma * d
    centre, spread = g.mean(axes, keepdims=True), (g * xhat).mean(axes, keepdims=True)
    if wrong == "statistics constant":
        dx = g * istd
    elif wrong == "mean constant":
        dx = (g - xhat * spread) * istd
    elif wrong == "variance constant":
        dx = (g - centre) * istd
    elif wrong == "deviation forgotten":
        dx = g - centre - xhat * spread
    else:
        dx = (g - centre - xhat * spread) * istd
    shape = (1,) * (x.ndim - gamma.ndim) + gamma.shape
    along = tuple(axis for axis, size in enumerate(shape) if size == 1)
    used = x if wrong == "dgamma of x" else xhat
    return dx, (d * used).sum(along).reshape(gamma.shape)


def norm_eval(x, gamma):
    return gamma * (x - 0.2) / 1.3, (x, gamma)


def norm_eval_back(d, c, wrong):
    x, gamma = c
    dgamma = (d * (x - 0.2) / 1.3).sum(0)
    if wrong == "of training":
        _, saved = norm(x, gamma, (0,))
        return norm_back(d, saved, "")[0], dgamma
    return gamma * d / 1.3, dgamma


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    q = e / e.sum(-1, keepdims=True)
    return q, q


def softmax_back(d, q, wrong):
    if wrong == "sum dropped":
        return (q * d,)
    if wrong == "diagonal":
        return (q * (1 - q) * d,)
    if wrong == "q forgotten":
        return (d - (d * q).sum(-1, keepdims=True),)
    return (q * (d - (d * q).sum(-1, keepdims=True)),)


def attention(q, k, v):
    """(T, D) each; out = softmax(q·kᵀ/√D)·v."""
    p = softmax(q @ k.T / np.sqrt(q.shape[1]))[0]
    return p @ v, (q, k, v, p)


def attention_back(d, c, wrong):
    q, k, v, p = c
    root = 1.0 if wrong == "root forgotten" else np.sqrt(q.shape[1])
    ds = softmax_back(d @ v.T, p, "")[0] / root
    dv = p @ d if wrong == "p not transposed" else p.T @ d
    return ds @ k, ds.T @ q, dv


def take(table, ids):
    return table[ids], (table, ids)


def take_back(d, c, wrong):
    table, ids = c
    dt = np.zeros_like(table)
    if wrong == "assigned":
        dt[ids] = d
    elif wrong == "next row":
        np.add.at(dt, (ids + 1) % len(table), d)
    else:
        np.add.at(dt, ids, d)
    if wrong == "averaged":
        dt /= np.maximum(np.bincount(ids.ravel(), minlength=len(table)), 1)[:, None]
    return (dt,)


def relu(x):
    return np.maximum(x, 0), x


def relu_back(d, x, wrong):
    mask = {"of dout": d > 0, "upside down": x < 0, "none": np.ones_like(x)}.get(wrong, x > 0)
    return (mask * (1.0 if wrong == "dout ignored" else d * np.abs(d) if wrong == "dout twice" else d),)


def tanh(x):
    y = np.tanh(x)
    return y, (x, y)


def tanh_back(d, c, wrong):
    x, y = c
    return (d * (1 - y) if wrong == "square forgotten" else d * (1 - (x if wrong == "x for out" else y) ** 2),)


def mlp(x, w):
    """ReLU behind a product: a mask that does not lie on the input."""
    h = x @ w
    return np.maximum(h, 0), (x, w, h)


def mlp_back(d, c, wrong):
    x, w, h = c
    dh = d * (d > 0) if wrong == "mask of dout" else d * (h > 0)
    return dh @ w.T, (x.T @ (d if wrong == "mask forgotten" else dh))


def mse(y, t):
    return np.asarray(((y - t) ** 2).mean()), (y, t)


def mse_back(d, c, wrong):
    y, t = c
    g = 2 * (y - t) / y.size * d
    return {"not averaged": g * y.size, "2 forgotten": g / 2, "dout ignored": 2 * (y - t) / y.size}.get(wrong, g), -g


def cross_entropy(z, t):
    q = softmax(z)[0]
    return np.asarray(-np.log(q[np.arange(len(t)), t]).mean()), (q, t)


def cross_entropy_back(d, c, wrong):
    q, t = c
    one = 0 if wrong == "target forgotten" else np.eye(q.shape[1])[t]
    g = d * (q - one) / len(t)
    return (-g if wrong == "negated" else g * len(t) if wrong == "not averaged" else g,)


def product(a, b):
    """Broadcast product. (N, D)·(D)"""
    return a * b, (a, b)


def product_back(d, c, wrong):
    a, b = c
    da = d if wrong == "b forgotten" else d * b * b if wrong == "b twice" else d * b
    db = (d * a)[-1].copy() if wrong == "db of the last row" else (d * a).sum(0)
    return da, db


def cumulate(x):
    return np.cumsum(x, 1), x


def cumulate_back(d, x, wrong):
    if wrong == "forwards":
        return (np.cumsum(d, 1),)
    back = np.cumsum(d[:, ::-1], 1)[:, ::-1].copy()
    return (back - d if wrong == "own term" else back,)


def rnn(x, u, w):
    """h[t] = tanh(x[t]·u + h[t-1]·w); out: every h. (T, D)"""
    h = [np.zeros(len(w), x.dtype)]
    for row in x:
        h.append(np.tanh(row @ u + h[-1] @ w))
    return np.stack(h[1:]), (x, u, w, np.stack(h))


def rnn_back(d, c, wrong):
    x, u, w, h = c
    dx, du, dw, carry = np.zeros_like(x), np.zeros_like(u), np.zeros_like(w), np.zeros(len(w))
    for t in reversed(range(len(x))):
        da = (d[t] + (0 if wrong == "carry forgotten" else carry)) * (1 - h[t + 1] ** 2)
        dx[t] = da @ u.T
        du += np.outer(x[t], da)
        dw += np.outer(h[t + 1], da) if wrong == "h shifted" else np.outer(h[t], da)
        carry = da @ (w if wrong == "w not transposed" else w.T)
    if wrong == "dx backwards":
        dx = dx[::-1].copy()
    if wrong == "du transposed":
        du = du.T.copy()
    return dx, du, dw


def dropout(x, keep, kept):
    return x * kept / keep, (kept, keep)


def dropout_back(d, c, wrong):
    kept, keep = c
    scale = {"not scaled": 1.0, "scaled by the rate": 1 - keep}.get(wrong, keep)
    return (d * (1 if wrong == "no mask" else kept) / scale,)


def transposed(x):
    """(N, C, L) -> (N, L, C)."""
    return x.transpose(0, 2, 1) * 1.0, x.shape


def transposed_back(d, shape, wrong):
    return (d.reshape(shape).copy() if wrong == "reshaped" else d.transpose(0, 2, 1).copy(),)


def pad(x):
    return np.pad(x, ((0, 0), (2, 1))), x.shape


def pad_back(d, shape, wrong):
    return (d[:, 1:-2].copy() if wrong == "sides swapped" else d[:, 2:-1].copy(),)


def draws(*shapes, **more):
    """A function from a generator to normal arrays of these shapes, by name."""
    names = "abc"
    return lambda rng: (
        {names[i]: rng.normal(size=s) for i, s in enumerate(shapes)}
        | {name: value(rng) if callable(value) else value for name, value in more.items()}
    )


def ids(rng):
    return np.concatenate([rng.integers(0, 5, 3), np.array([1, 1, 3, 3, 0])])


def permuted(rng):
    return rng.permutation(36).reshape(4, 9)


def gamma(*shape):
    return lambda rng: rng.uniform(0.5, 2, shape)


FUNCTIONS = {
    "dense": (dense, dense_back, draws((5, 4), (4, 4), (4,))),
    "conv1d": (conv1d, conv1d_back, draws((3, 8), (3,))),
    "conv2d": (conv2d, conv2d_back, draws((2, 5, 6), (3, 3))),
    "max pool": (max_pool, max_pool_back, draws(a=lambda rng: np.eye(4)[2][np.arange(9) % 4] * 40 + permuted(rng))),
    "batch norm": (norm, norm_back, draws((7, 4), gamma=gamma(4), axes=(0,))),
    "layer norm": (norm, norm_back, draws((4, 6), gamma=gamma(6), axes=(1,))),
    "image norm": (norm, norm_back, draws((2, 3, 3, 4), gamma=gamma(3, 1, 1), axes=(0, 2, 3))),
    "group norm": (norm, norm_back, draws((3, 4, 5), gamma=gamma(4, 1), axes=(1, 2))),
    "norm in evaluation": (norm_eval, norm_eval_back, draws((6, 4), gamma=gamma(4))),
    "softmax": (softmax, softmax_back, draws((4, 5))),
    "attention": (attention, attention_back, draws((5, 3), (5, 3), (5, 3))),
    "take": (take, take_back, draws((5, 3), ids=ids)),
    "relu": (relu, relu_back, draws((5, 6))),
    "tanh": (tanh, tanh_back, draws((3, 5))),
    "mlp": (mlp, mlp_back, draws((6, 4), (4, 5))),
    "mse": (mse, mse_back, draws((4, 3), (4, 3))),
    "cross-entropy": (cross_entropy, cross_entropy_back, draws((5, 4), t=lambda rng: rng.integers(0, 4, 5))),
    "product": (product, product_back, draws((5, 6), (6,))),
    "cumulate": (cumulate, cumulate_back, draws((3, 6))),
    "rnn": (rnn, rnn_back, draws((5, 4), (4, 4), (4, 4))),
    "dropout": (dropout, dropout_back, draws((5, 6), keep=0.7, kept=lambda rng: rng.random((5, 6)) < 0.7)),
    "transposed": (transposed, transposed_back, draws((2, 3, 4))),
    "pad": (pad, pad_back, draws((3, 6))),
}

# function, mistake, argument that it spoils, kind that comes first (or any of several)
MISTAKES = [
    ("dense", "w not transposed", "a", "transpose"),
    ("dense", "dw negated", "b", "sign"),
    ("dense", "dw averaged", "b", "constant factor"),
    ("dense", "dw transposed", "b", "transpose"),
    ("dense", "dw of squared dout", "b", "cotangent twice"),
    ("dense", "dw of ones", "b", "cotangent ignored"),
    ("dense", "dw of all but the last row", "b", "border"),
    ("dense", "dw zero", "b", "gradient missing"),
    ("dense", "dw decayed", "b", "term missing"),
    ("dense", "dw of dout shifted", "b", "rows mixed"),
    ("dense", "dw clipped", "b", "not linear"),
    ("dense", "dx of the next row", "a", "rows mixed"),
    ("dense", "db of one row", "c", "axis not summed"),
    ("dense", "db averaged", "c", "constant factor"),
    ("conv1d", "overlaps overwritten", "a", "window"),
    ("conv1d", "last window left out", "a", "border"),
    ("conv1d", "kernel flipped", "a", "flip"),
    ("conv1d", "dw backwards", "b", "flip"),
    ("conv1d", "dw of the first sample", "b", "axis not summed"),
    ("conv2d", "kernel not flipped", "a", "flip"),
    ("conv2d", "kernel transposed", "a", ("transpose", "term missing", "window")),
    ("conv2d", "cropped at the end", "a", "border"),
    ("conv2d", "dw averaged over pixels", "b", "constant factor"),
    ("conv2d", "dw transposed", "b", "transpose"),
    ("max pool", "overwritten", "a", "window"),
    ("max pool", "last window lost", "a", "border"),
    ("max pool", "to all of the window", "a", ("mask", "window")),
    ("batch norm", "statistics constant", "a", "statistics constant"),
    ("batch norm", "mean constant", "a", "term missing"),
    ("batch norm", "variance constant", "a", "term missing"),
    ("batch norm", "gamma forgotten", "a", "array factor"),
    ("batch norm", "gamma twice", "a", "array factor"),
    ("batch norm", "deviation forgotten", "a", "array factor"),
    ("batch norm", "dgamma of x", "gamma", ("array factor", "term missing", "statistics constant")),
    ("layer norm", "statistics constant", "a", "statistics constant"),
    ("layer norm", "mean constant", "a", "term missing"),
    ("layer norm", "gamma forgotten", "a", "array factor"),
    ("layer norm", "gamma twice", "a", "array factor"),
    ("image norm", "statistics constant", "a", "statistics constant"),
    ("image norm", "variance constant", "a", "term missing"),
    ("image norm", "gamma forgotten", "a", "array factor"),
    ("group norm", "statistics constant", "a", "statistics constant"),
    ("group norm", "mean constant", "a", "term missing"),
    ("group norm", "deviation forgotten", "a", ("array factor", "constant factor")),
    ("norm in evaluation", "of training", "a", "mode swapped"),
    ("softmax", "sum dropped", "a", "term missing"),
    ("softmax", "diagonal", "a", "term missing"),
    ("softmax", "q forgotten", "a", "array factor"),
    ("attention", "root forgotten", "a", "constant factor"),
    ("attention", "p not transposed", "c", "transpose"),
    ("take", "assigned", "a", "window"),
    ("take", "next row", "a", "rows mixed"),
    ("take", "averaged", "a", "array factor"),
    ("relu", "of dout", "a", "mask"),
    ("relu", "upside down", "a", "mask"),
    ("relu", "none", "a", "mask"),
    ("relu", "dout ignored", "a", "cotangent ignored"),
    ("relu", "dout twice", "a", "cotangent twice"),
    ("tanh", "square forgotten", "a", "array factor"),
    ("tanh", "x for out", "a", "array factor"),
    ("mlp", "mask of dout", "b", "mask"),
    ("mlp", "mask forgotten", "b", ("mask", "term missing")),
    ("mse", "not averaged", "a", "constant factor"),
    ("mse", "2 forgotten", "a", "constant factor"),
    ("mse", "dout ignored", "a", "cotangent ignored"),
    ("cross-entropy", "target forgotten", "a", "term missing"),
    ("cross-entropy", "negated", "a", "sign"),
    ("cross-entropy", "not averaged", "a", "constant factor"),
    ("product", "b forgotten", "a", "array factor"),
    ("product", "b twice", "a", "array factor"),
    ("product", "db of the last row", "b", "axis not summed"),
    ("cumulate", "forwards", "a", "flip"),
    ("cumulate", "own term", "a", "term missing"),
    ("rnn", "dx backwards", "a", "flip"),
    ("rnn", "du transposed", "b", "transpose"),
    ("rnn", "carry forgotten", "a", ("term missing", "window")),
    ("dropout", "not scaled", "a", "constant factor"),
    ("dropout", "scaled by the rate", "a", "constant factor"),
    ("dropout", "no mask", "a", "mask"),
    ("transposed", "reshaped", "a", "transpose"),
    ("pad", "sides swapped", "a", "border"),
]  # fmt: skip
