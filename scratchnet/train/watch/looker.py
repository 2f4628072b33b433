"""A look: one training step measured from its inputs to its update, put together from the measures."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from scratchnet.core.loss import Loss
from scratchnet.core.network import Network
from scratchnet.core.types import Array, Leaves, samples

from ..history.records import Look
from ..record import peak_memory_mb
from .measures.inputs import input_look
from .measures.layers import Layers
from .measures.numbers import Ruler
from .measures.outputs import labels_of, output_look
from .measures.parameters import Parameters
from .probe import Probe


class Looker:
    """Looks at steps of one network. `before` the optimizer's step, `after` it."""

    def __init__(self, net: Network, loss: Loss, classes: int | None) -> None:
        self._probe = Probe(net, loss)
        self._ruler = Ruler(self._probe.k)
        self.layers, self._parameters = Layers(self._ruler), Parameters(net, self._ruler)
        self._peak: float | None = None
        self._asked = -math.inf
        self._classes, self._ignored = classes, getattr(loss, "ignore_index", None)

    def before(
        self, x: Leaves, y: Any, logits: Any, side: Mapping[str, Array], *, training: bool, **known: Any
    ) -> Look:
        """The look, all but the update. `known`: further fields, which the loop tells."""
        with np.errstate(all="ignore"):  # what is not finite is counted, and is news enough
            walk = self._probe.walk(x, y, training=training, side=side)
            self._ruler.forget()
            labels = labels_of(y, self._classes)
            counts, outside = self._classes_in(labels)
            look = Look(
                batch=samples(x),
                training=training,
                class_counts=counts,
                outside=outside,
                inputs=input_look(self._ruler, walk.x),
                outputs=output_look(logits, y, self._classes),
                parameters=self._parameters.looks(walk),
                layers=self.layers.looks(walk),
                memory_mb=self._memory(),
                **known,
            )
        self._parameters.remember()
        return look

    def after(self, look: Look) -> Look:
        """The look with the update that the parameters have had since `before`."""
        with np.errstate(all="ignore"):
            return replace(look, parameters=self._parameters.updated(look.parameters))

    def _memory(self) -> float | None:
        """The peak so far, asked for once a second at most: to some systems it is a question of milliseconds."""
        now = time.monotonic()
        if now - self._asked >= 1.0:
            self._peak, self._asked = peak_memory_mb(), now
        return self._peak

    def _classes_in(self, labels: Array | None) -> tuple[tuple[int, ...] | None, int | None]:
        """(labels of each class, labels of none); those to be ignored are neither."""
        if labels is None or self._classes is None:
            return None, None
        inside = (labels >= 0) & (labels < self._classes)
        counts = np.bincount(labels[inside], minlength=self._classes)
        return tuple(counts.tolist()), int(np.count_nonzero(~inside & (labels != self._ignored)))
