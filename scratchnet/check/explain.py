"""What kind of mistake makes a gradient wrong in just this way: hypotheses, each held against the evidence.

A hypothesis turns the true gradient into the wrong one. It is offered where it explains every wrong entry to within the
noise, under several cotangents, and ranked by how much it explains and how little freedom it needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from .evidence import Evidence
from .explanations.arrangement import arrangements
from .explanations.clues import Clues
from .explanations.cotangent import cotangents
from .explanations.explanation import Explanation
from .explanations.factors import factors
from .explanations.mask import masks
from .explanations.mixing import mixtures
from .explanations.place import places
from .explanations.prepare import prepare
from .explanations.scale import scales
from .explanations.terms import terms
from .explanations.windows import windows

__all__ = ["Explanation", "explain"]

FAMILIES: tuple[Callable[[Clues], Iterator[Explanation]], ...] = (
    cotangents, scales, factors, arrangements, masks, places, windows, terms, mixtures,
)  # fmt: skip
"""Every family of hypotheses. Of equally sure ones the earlier is named first."""


NONLINEAR = {"cotangent ignored", "cotangent twice", "not linear", "mask", "term missing", "state left over"}
"""What makes a backward that is not linear in dout: the kinds, one of which a term that is added whatever dout is."""


def explain(evidence: Evidence) -> list[Explanation]:
    """The likely mistakes, the most likely first; the same kind and text once. Empty where nothing fits."""
    if not np.isfinite(np.asarray(evidence.analytic, np.complex128)).all():
        text = "the backward returns NaN or infinity where the function has a slope"
        return [Explanation("not finite", text, "overflow, 0/0, log of 0, or a root at 0 in the backward", 0.98)]
    with np.errstate(all="ignore"):
        clues = prepare(evidence)
        if clues is None or not clues.wrong.any():
            return []
        families = FAMILIES if clues.steady else (cotangents,)  # what changes from call to call fits by chance only
        found = [explanation for family in families for explanation in family(clues)]
        if (
            not clues.linear
        ):  # few mistakes make a backward that is not linear: the rest is likely chance, or half a cause
            found = [e if e.kind in NONLINEAR else replace(e, sure=0.75 * e.sure) for e in found]
    unique = {(explanation.kind, explanation.text): explanation for explanation in reversed(found)}
    ordered = [explanation for explanation in found if unique[explanation.kind, explanation.text] is explanation]
    if not ordered:
        return list(_at_a_loss(clues))
    ordered.sort(key=lambda explanation: -explanation.sure)
    least = 0.65 if ordered[0].sure > 0.9 else 0.0  # beside a good explanation the vague ones say nothing
    return [explanation for explanation in ordered if explanation.sure >= least]


def _at_a_loss(clues: Clues) -> Iterator[Explanation]:
    """Nothing fits: two mistakes at once, or a wrong formula."""
    if clues.linear and clues.jacobian.size:
        text = "the backward is linear in dout, and no single known mistake makes it wrong so: a term, or two mistakes"
        yield Explanation(
            "term missing", text, "each line of the backward beside the forward's line it belongs to", 0.2
        )
