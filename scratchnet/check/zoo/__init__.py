"""The bug zoo: right pairs of a forward and a backward in plain NumPy, and realistic mistakes in them.

    from scratchnet.check import check_gradients
    from scratchnet.check.zoo import SPECIES

    species = SPECIES["batch norm"]
    inputs = species.inputs(np.random.default_rng(0))
    for mutant in species.mutants:
        print(mutant.what, check_gradients(species.forward, mutant.backward, inputs))

`benchmarks/bug_zoo.py` holds this project's checker and those of other packages against it.
"""

from dataclasses import replace

from . import (
    activations,
    affine,
    attention,
    conv,
    dropout,
    embedding,
    generic,
    habits,
    large,
    losses,
    norms,
    pooling,
    recurrent,
    smooth,
)
from .species import Mutant, Species, Twin

_FAMILIES = (
    *(affine, conv, activations, smooth, pooling, norms, dropout, losses),
    *(embedding, recurrent, attention, generic, habits, large),
)

SPECIES: dict[str, Species] = {
    species.name: replace(species, family=family.__name__.rsplit(".", 1)[-1])
    for family in _FAMILIES
    for species in family.SPECIES
}
"""Every species by its name."""

__all__ = ["SPECIES", "Mutant", "Species", "Twin"]
