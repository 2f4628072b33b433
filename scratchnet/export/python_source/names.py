"""Identifiers: of parameters and buffers from their names in the network, of everything else as it is made."""

from __future__ import annotations

import keyword

from .functions import FUNCTIONS

TAKEN = {*FUNCTIONS, "x", "p", "saved", "updates", "np", "logits", "predict", "predict_proba", "forward", "backward"}
TAKEN |= {
    "sgd_step",
    "gradcheck",
    "main",
    "argparse",
    "base64",
    "hashlib",
    "sys",
    "zlib",
    "count",
    "dlogits",
    "unpack",
    "z",
}


class Names:
    """Identifiers that are given once."""

    def __init__(self) -> None:
        self.taken = set(TAKEN)

    def new(self, wanted: str) -> str:
        """The name, or with a number behind it where it is taken."""
        name, number = wanted, 2
        while name in self.taken or keyword.iskeyword(name) or not name.isidentifier():
            name, number = f"{wanted}_{number}" if wanted.isidentifier() else f"v{number}", number + 1
        self.taken.add(name)
        return name

    def stored(self, path: str) -> str:
        """Of "0.W": W0; of "2.body.1.W_ih": W_ih2_body_1."""
        where, _, leaf = path.rpartition(".")
        separator = "" if where[:1].isdigit() or not where else "_"
        return self.new(leaf + separator + where.replace(".", "_"))
