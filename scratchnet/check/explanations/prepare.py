"""From evidence to clues: the backward is asked for the gradients of a few other cotangents, and of every output."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from scratchnet.core.types import Array

from ..evidence import Evidence
from .clues import LARGE, Clues

MORE = 2
"""Further cotangents that the backward is asked for: a coincidence under one does not survive three."""

RESPONSES = 400
"""Outputs up to which the backward is asked for each one's gradient, so that its whole matrix is known."""


def prepare(evidence: Evidence) -> Clues | None:
    """The clues of an evidence, or None where nothing was probed."""
    numeric = np.asarray(evidence.numeric, np.float64)
    analytic = _real(evidence.analytic)
    at = np.flatnonzero(np.isfinite(numeric).reshape(-1))
    if not len(at):
        return None
    shape, dout = analytic.shape, _real(evidence.dout).reshape(-1, 1)
    known = bool(evidence.columns) and len(evidence.columns) == len(at)
    if known and len(at) * len(dout) > 4 * LARGE:  # a sample of the sample is enough for products of this size
        at = at[:: -(-len(at) * len(dout) // (4 * LARGE))]
    rows = [_real(evidence.columns[_index(int(i), shape)]).reshape(-1) for i in at] if known else []
    jacobian = np.stack(rows) if known else np.zeros((len(at), 0))
    truth = numeric.reshape(-1)[at][:, None]
    size = float(np.abs(truth).max())
    room = 4 * max(evidence.room, 1e-13) + 1e-9 * size
    sound = np.abs(jacobian @ dout - truth)[:, 0] <= room if known else np.ones(len(at), bool)
    full = analytic.reshape(-1, 1)
    steady, linear, rectified, matrix, echoes = True, True, 0, None, []
    if known and evidence.respond is not None:
        try:
            steady, linear, rectified, dout, full, matrix = _ask(evidence, dout, full, at, room)
            if linear and len(at) < analytic.size:
                echoes = list(_echoes(evidence, jacobian, at))
        except Exception:  # it is the user's own backward: then the one gradient at hand must do
            steady, linear, rectified, matrix = True, True, 0, None
            dout, full = dout[:, :1], full[:, :1]
    if not np.isfinite(full).all() or (matrix is not None and not np.isfinite(matrix).all()):
        dout, full, matrix, echoes = dout[:, :1], full[:, :1], None, []
    if dout.shape[1] > 1:
        truth = np.concatenate([truth, jacobian @ dout[:, 1:]], 1)
        room *= max(1.0, float(np.abs(truth).max()) / max(size, 1e-300))
    claim = full[at]
    wrong = (np.abs(claim - truth) > room).any(1) & sound
    typical = float(np.abs(dout).mean()) or 1.0
    fine = max(1e-9 * float(np.abs(jacobian).max(initial=0.0)), room / typical)
    out = _real(evidence.out)
    live = np.flatnonzero(np.abs(jacobian).max(0, initial=0.0))
    beside = {name: np.asarray(a) for name, a in evidence.beside.items()}
    beside |= dict(_differences(beside))
    return Clues(
        shape, out.shape, evidence.argument, at, dout, jacobian, truth, claim, full, matrix, sound, wrong, room, fine,
        steady, linear, rectified, out.reshape(-1), beside, evidence.facts, live if len(dout) > 1000 else None,
        echoes,
    )  # fmt: skip


def _index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, shape))


def _echoes(evidence: Evidence, jacobian: Array, at: Array) -> Iterator[tuple[int, float, Array]]:
    """Of up to eight outputs that one probed coordinate alone moves: (coordinate, slope, the backward's gradient)."""
    assert evidence.respond is not None
    there = jacobian != 0
    for o in np.flatnonzero(there.sum(0) == 1)[:8]:
        unit = np.zeros(jacobian.shape[1])
        unit[o] = 1
        p = int(there[:, o].argmax())
        answer = _real(evidence.respond(unit.reshape(np.shape(evidence.out)))).reshape(-1)
        yield int(at[p]), float(jacobian[p, o]), answer


def _ask(
    evidence: Evidence, dout: Array, full: Array, at: Array, room: float
) -> tuple[bool, bool, int, Array, Array, Array | None]:
    """(steady, linear, rectified, cotangents, gradients, matrix) from further calls of the backward."""
    shape = np.shape(evidence.out)
    assert evidence.respond is not None

    def respond(flat: Array) -> Array:
        assert evidence.respond is not None
        return _real(evidence.respond(flat.reshape(shape).copy())).reshape(-1)

    near = room + 1e-9 * float(np.abs(full).max(initial=0.0))
    steady = bool((np.abs(respond(dout[:, 0]) - full[:, 0]) <= near).all())
    rng = np.random.default_rng(17)
    more = rng.normal(size=(len(dout), MORE)) + 0.1
    answers = np.stack([respond(more[:, k]) for k in range(MORE)], 1)
    both = respond(more[:, 0] - 3 * more[:, 1])
    size = 1e-9 * float(np.abs(answers).max(initial=0.0)) + room
    linear = bool((np.abs(both - answers[:, 0] + 3 * answers[:, 1]) <= 10 * size).all())
    matrix = None
    if steady and linear and len(dout) <= RESPONSES:
        matrix = np.stack([respond(unit)[at] for unit in np.eye(len(dout))], 1)
    if not steady:
        return steady, linear, 0, dout, full, None
    rectified = 0
    if not linear and len(dout) > 1:
        for sign in (1, -1):
            units = [sign * np.eye(1, len(dout), o)[0] for o in range(0, len(dout), max(1, len(dout) // 12))]
            kept, gone = (max(float(np.abs(respond(s * u)).max()) for u in units) for s in (1, -1))
            rectified = sign if gone == 0 < kept else rectified
    return steady, linear, rectified, np.concatenate([dout, more], 1), np.concatenate([full, answers], 1), matrix


def _differences(beside: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """a − b of arrays of floats of one shape: what a loss is made of."""
    names = [name for name, a in beside.items() if a.dtype.kind == "f" and a.size > 1]
    for one, other in itertools.islice(itertools.combinations(names, 2), 6):
        if beside[one].shape == beside[other].shape:
            yield f"({one} − {other})", beside[one] - beside[other]


def _real(array: Array) -> Array:
    array = np.asarray(array)
    return np.asarray(array.real if array.dtype.kind == "c" else array, np.float64)
