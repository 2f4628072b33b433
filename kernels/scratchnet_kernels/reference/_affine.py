"""gamma and beta: a normalisation has both of them or neither."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError


def check_affine(given: dict[str, Any]) -> None:
    """Refuse the one without the other, for kernels look at gamma (at dgamma) to know about both."""
    for gamma, beta in (("gamma", "beta"), ("dgamma", "dbeta")):
        if beta in given and (given[gamma] is None) != (given[beta] is None):
            raise ShapeError(
                f"{gamma} and {beta} come together",
                expected="both or neither",
                actual=gamma if given[beta] is None else beta,
            )
