"""Embeddings and gathers: ids that occur twice, rows that must not move."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug


def embedding_forward(ids: Array, w: Array, padding: int) -> tuple[Array, Any]:
    """out = w[ids], zero where the id is `padding`. (N, T) -> (N, T, D)"""
    return w[ids] * (ids != padding)[..., None], (ids, w, padding)


def embedding_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dw[ids] collects dout; an id that occurs twice collects twice, padding nothing."""
    ids, w, padding = cache
    dw, flat, d = np.zeros_like(w), ids.reshape(-1), dout.reshape(-1, w.shape[1])  # (N, T, D) -> (N·T, D)
    if wrong == "duplicates overwrite":
        dw[flat] = d
    elif wrong == "duplicates added once":
        dw[flat] += d
    elif wrong == "off by one":
        np.add.at(dw, (flat + 1) % len(w), d)
    elif wrong == "places for ids":
        np.add.at(dw, np.arange(len(flat)) % len(w), d)
    else:
        np.add.at(dw, flat, d)
    if wrong == "averaged by count":
        dw /= np.maximum(np.bincount(flat, minlength=len(w)), 1)[:, None]
    if wrong == "last id skipped":
        dw[flat[-1]] -= d[-1]
    if wrong != "padding row moves":
        dw[padding] = 0
    return (dw,)


def position_forward(x: Array, p: Array) -> tuple[Array, Any]:
    """out = x + p[:T], the same for every sample. (N, T, D), (L, D) -> (N, T, D)"""
    return x + p[: x.shape[1]], (x, p)


def position_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, Array]:
    """dx = dout, dp[:T] = Σ dout over the batch, 0 beyond."""
    x, p = cache
    dp = np.zeros_like(p)
    summed = dout[-1] if wrong == "last sample's" else dout.sum(0)
    dp[len(p) - x.shape[1] :] = summed  # as if the end of p was read
    if wrong != "end for beginning":
        dp[...] = 0
        dp[: x.shape[1]] = summed
    return dout.copy(), dp


def take_forward(x: Array, index: Array) -> tuple[Array, Any]:
    """out[n] = x[n, index[n]]: one column of each row. (N, D) -> (N,)"""
    return x[np.arange(len(x)), index], (x.shape, index)


def take_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dout goes back to where it was taken."""
    shape, index = cache
    dx = np.zeros(shape)
    if wrong == "whole columns":
        dx[:, index] = dout
    elif wrong == "first column":
        dx[:, 0] = dout
    else:
        dx[np.arange(shape[0]), index] = dout
    return (dx,)


def _tokens(rng: np.random.Generator) -> dict[str, Any]:
    return {"ids": np.array([[1, 3, 1, 0], [5, 0, 1, 3]]), "w": rng.normal(size=(7, 3)), "padding": 0}


_e = embedding_backward
SPECIES = (
    Species(
        "embedding", embedding_forward, embedding_backward, _tokens,
        (
            bug(_e, "duplicates overwrite", "w", "window, not added", "dw[ids] = dout: the last one stays"),
            bug(_e, "duplicates added once", "w", "window, not added", "dw[ids] += dout, which NumPy buffers",
                "a common slip in CS231n-style assignments (np.add.at is their hint)"),
            bug(_e, "averaged by count", "w", "array factor", "divided by how often an id occurs"),
            bug(_e, "padding row moves", "w", "mask, border", "the padding row gets a gradient",
                "pytorch/pytorch issue #26302; pytorch/pytorch issue #103023"),
            bug(_e, "off by one", "w", "rows mixed", "row id + 1 gets the gradient of row id",
                "nntrainer/nntrainer pull request #988 (ids that start at 1)"),
            bug(_e, "places for ids", "w", "rows mixed", "the rows are counted along the sequence"),
            bug(_e, "last id skipped", "w", "mask, border, window, gradient missing",
                "the loop over tokens ends one too early"),
        ),
    ),
    Species(
        "positional embedding", position_forward, position_backward,
        lambda rng: {"x": rng.normal(size=(3, 4, 2)), "p": rng.normal(size=(6, 2))},
        (
            bug(position_backward, "last sample's", "p", "axis not summed, not added", "dp is that of the last sample"),
            bug(position_backward, "end for beginning", "p", "rows mixed, border", "the last rows of p, not the first"),
        ),
    ),
    Species(
        "one column of each row", take_forward, take_backward,
        lambda rng: {"x": rng.normal(size=(5, 3)), "index": np.array([0, 2, 1, 2, 2])},
        (
            bug(take_backward, "whole columns", "x", "protocol, mask", "dx[:, index] for dx[rows, index]"),
            bug(take_backward, "first column", "x", "mask, border", "the index is forgotten"),
        ),
    ),
)  # fmt: skip
