"""What is written of a run, and what the doctor reads: plain records, one JSON object a line.

    {"kind": "look", "step": 1, "loss": 2.31, "inputs": {"minimum": 0.0, "maximum": 255.0, ...}, ...}

Every field but a record's key may be None: it was not measured, which is neither 0 nor wrong. Numbers that JSON cannot
say are the words "nan", "inf" and "-inf". Rates are fractions in [0, 1], norms are L2, steps and epochs count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SplitFacts:
    """A split as the network gets it: scaled and shifted, in the order in which it is taken.

    Pictures and labels are held against each other without any network: `agreement` is the share of samples whose
    nearest neighbour among training samples (other than itself) has the same label. Where labels say something it lies
    far above `chance` (Σ pᵢ qᵢ over classes, q being training's shares); `relabelled` is what it would be after the
    best one-to-one renaming of the split's classes, found on one half of the samples and measured on the other, both
    ways: only a split with a class map of its own gains by it.

    Whole numbers that stand for something (token ids) have no range, and neighbours no meaning: those are None.

    Attributes:
        shape: of a sample as it is kept; looked_at: samples that range, mean, norm, constant, nonfinite come from.
        norm: the mean L2 norm of a sample.
        features: values in a sample; `constant` of them are the same in every sample looked at.
        label_minimum, label_maximum: of the labels as they are given.
        class_counts: how many samples of each class that the network can name.
        neighbours_alike: share of samples whose successor in the order of an epoch is of the same class.
        duplicates: samples that are in the training split too, value by value, before they are scaled (within the
            training split: samples that repeat an earlier one).
        agreement, chance, relabelled: see above; agreed_on: how many samples they were measured on.
    """

    split: str
    samples: int
    looked_at: int | None = None
    shape: tuple[int, ...] | None = None
    features: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    norm: float | None = None
    constant: int | None = None
    nonfinite: int | None = None
    classes: int | None = None
    label_minimum: int | None = None
    label_maximum: int | None = None
    class_counts: tuple[int, ...] | None = None
    neighbours_alike: float | None = None
    duplicates: int | None = None
    agreement: float | None = None
    chance: float | None = None
    relabelled: float | None = None
    agreed_on: int | None = None


@dataclass(frozen=True, kw_only=True)
class InputLook:
    """The batch as it reached the first layer. Of token ids, and of a NamedTuple of arrays, there is none."""

    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    norm: float | None = None  # mean over samples
    constant: int | None = None  # features that are the same in the whole batch
    features: int | None = None
    nonfinite: int | None = None


@dataclass(frozen=True, kw_only=True)
class OutputLook:
    """The logits of a batch, and what a softmax makes of them. Only for a loss over classes: softmax cross-entropy.

    Rows that are not finite are left out but for `nonfinite`; labels that no class has are left out of `correct`,
    `loss` and `error`. Where targets are probabilities, the largest is the label.

    Attributes:
        entropy: mean of −Σ p ln p, in nats; ln C for a network that knows nothing.
        top_class, top_share: the class that is predicted most, and its share of the batch.
        saturated: share of samples with a largest p above 0.999.
        normalised: the rows are probabilities already: none below 0, each sums to 1.
        correct: rows whose largest logit is the label's.
        loss: mean cross-entropy of these logits, unweighted and unsmoothed; the loop may have said another one.
        error: ‖softmax − target‖ of one sample, mean: dL/dlogits before dividing by N; √2 for a softmax saturated on a
            wrong class.
        nonfinite: numbers in the logits.
    """

    classes: int | None = None
    mean: float | None = None
    std: float | None = None
    entropy: float | None = None
    top_class: int | None = None
    top_share: float | None = None
    saturated: float | None = None
    normalised: bool | None = None
    correct: int | None = None
    loss: float | None = None
    error: float | None = None
    nonfinite: int | None = None


@dataclass(frozen=True, kw_only=True)
class ParameterLook:
    """A parameter, its gradient as the loop left it, and the update that followed.

    `fresh` is the gradient of this batch alone, computed beside the loop with the loss that the monitor was given; a
    loop that forgets to zero, scales or turns its gradient around differs from it in `ratio` = ‖gradient‖/‖fresh‖ and
    `cosine`. ratio is inf where only fresh is 0; both are None where both are 0. They are 1 to rounding in a sound
    loop; where a loss is almost 0, what is left of dL/dlogits may itself be rounding.

    A weight of a linear layer has dW = Σₙ dₙ xₙᵀ, so ‖dW‖ ≤ √(Σ‖dₙ‖²) · √(Σ‖xₙ‖²): `error` and `input` are the two
    factors, and `alignment` = ‖fresh‖ / (error · input) is 1 for a single sample. In a convolution (Conv1d, Conv2d) n
    counts samples and places, and xₙ is the patch under the window. Other layers, biases and tied weights have none.

    Attributes:
        size: numbers in it; std: of its values; fan_in: inputs of a unit, of weights that sum over inputs.
        gradient, weight, update: L2 norms; update is that of the change that this step made, None where it was not
            made within the monitor's context.
        alike: share of output units whose weights another unit has too, value by value.
        frozen: it is marked as not to be trained.
        nonfinite: numbers in it and in its gradient.
    """

    size: int | None = None
    fan_in: int | None = None
    std: float | None = None
    gradient: float | None = None
    weight: float | None = None
    update: float | None = None
    fresh: float | None = None
    ratio: float | None = None
    cosine: float | None = None
    input: float | None = None
    error: float | None = None
    alignment: float | None = None
    alike: float | None = None
    frozen: bool | None = None
    nonfinite: int | None = None


@dataclass(frozen=True, kw_only=True)
class LayerLook:
    """What a layer puts out, and the gradient that comes back to it.

    Layers are in the order in which their forwards ended: one made of others comes after them. They are the plain ones,
    whatever was fused. A unit is a channel where there are channels, else a feature: axis 1 of (N, D), (N, C, H, W) and
    of what Conv1d puts out, the last one of other sequences (N, T, D).

    Attributes:
        path: its name in the network ("0", "3.inner"); layer: its source, "Dense(128)"; kind: its class.
        zero: share of outputs that are exactly 0; dead: share of units that are 0 for the whole batch.
        never: share of units that have been 0 at every look so far (of ReLU).
        saturated: share of outputs nearer to a bound of the activation than 1 % of its range (Sigmoid, Tanh).
        gradient: ‖dL/dy‖ at its output, None where it is not needed: in front of the first parameters; gain:
            ‖dL/dx‖/‖dL/dy‖ through it, None where no dL/dx is wanted, or both are 0.
        forward, backward: values that are not finite in y, in dL/dy.
    """

    path: str
    layer: str | None = None
    kind: str | None = None
    units: int | None = None
    mean: float | None = None
    std: float | None = None
    zero: float | None = None
    dead: float | None = None
    never: float | None = None
    saturated: float | None = None
    gradient: float | None = None
    gain: float | None = None
    forward: int | None = None
    backward: int | None = None


@dataclass(frozen=True, kw_only=True)
class Look:
    """One training step, looked at closely: parameters as they were before its update.

    Attributes:
        step: its number; step 1 sees the initial weights.
        lr: the step's learning rate; loss: what the loop's loss said; batch: samples.
        epoch: one more than epochs have ended.
        training: whether the forward pass was one for training: the network has counted one since the step before.
        class_counts: labels of the batch by class; outside: labels that no class has and that are not to be ignored.
        memory_mb: the process's peak so far, in 10⁶ bytes; samples_per_second: since the look before, without looks
            and what lies between epochs.
    """

    step: int
    epoch: int | None = None
    lr: float | None = None
    loss: float | None = None
    batch: int | None = None
    training: bool | None = None
    class_counts: tuple[int, ...] | None = None
    outside: int | None = None
    inputs: InputLook | None = None
    outputs: OutputLook | None = None
    parameters: dict[str, ParameterLook] = field(default_factory=dict)
    layers: tuple[LayerLook, ...] = ()
    memory_mb: float | None = None
    samples_per_second: float | None = None


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The loop's losses of consecutive steps, the first of which is `first`."""

    first: int
    values: tuple[float, ...]
    lr: tuple[float, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Sums over a split, or over an epoch's batches as they were trained on.

    Attributes:
        top5: samples whose class was among the five likeliest.
        matrix: matrix[t][p] samples of class t were taken for p.
        rounded: the last digit's worth where the accuracy was read from a text that rounds: 0.0001 for "2.42%".
    """

    loss: float | None = None
    accuracy: float | None = None
    correct: int | None = None
    top5: int | None = None
    total: int | None = None
    matrix: tuple[tuple[int, ...], ...] | None = None
    rounded: float | None = None


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """An epoch that came to its end.

    Attributes:
        batches, samples: what was trained on in it.
        forwards: training forwards that the network made meanwhile; evaluations in training mode are among them.
        splits: "train" (under the weights as they moved), "val", "test" (after it), or whatever was measured.
    """

    epoch: int
    batches: int | None = None
    samples: int | None = None
    forwards: int | None = None
    seconds: float | None = None
    lr: float | None = None
    splits: dict[str, Measured] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened at a step: "spike", "nonfinite", "skipped".

    `where` the first value that is not finite arose, in the order of a step: "inputs", "2.W" (an update before left it
    so), "2 forward" (layer 2 put it out), "loss", "2 backward" (it came back to layer 2), "2.W gradient".
    """

    step: int
    what: str
    where: str | None = None
    value: float | None = None
    message: str | None = None


@dataclass(frozen=True, kw_only=True)
class End:
    """How the run ended: "finished", "interrupted", "stopped" (by an error, which `message` gives).

    `fired`: how often each part of the monitor did: "data", "look", "update", "epoch", "spike", "nonfinite"; 0: never.
    """

    how: str
    message: str | None = None
    steps: int | None = None
    fired: dict[str, int] = field(default_factory=dict)


Record = SplitFacts | Look | Losses | Epoch | Event | End
KINDS: dict[str, type[Any]] = {
    "data": SplitFacts,
    "look": Look,
    "losses": Losses,
    "epoch": Epoch,
    "event": Event,
    "end": End,
}
