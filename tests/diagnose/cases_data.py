"""Inputs, labels, splits, and the figures that are told of them."""

from dataclasses import replace

from scratchnet.train.history.history import History
from scratchnet.train.history.records import End, Epoch, Look, Measured, ParameterLook

from .cases import not_there, there
from .runs import BATCH, even, layer, measured, mlp_layers, run, stuck, weight

RAW = {"minimum": 0.0, "maximum": 255.0, "mean": 33.3, "std": 78.6, "norm": 2437.2}


@there("inputs-unscaled")
def raw_pixels():
    """Long first steps, then dead units and a loss that stands still."""

    def change(step, loss):
        weights = {"0.W": weight((128, 784), step, moved=2.0 if step < 10 else 1e-6), "2.W": weight((10, 128), step)}
        relu = layer("1", "ReLU()", units=128, never=0.0 if step == 1 else 0.99, dead=0.1 if step == 1 else 0.99)
        layers = (layer("0", "Dense(128)"), relu, layer("2", "Dense(10)"))
        return {"inputs": RAW, "parameters": weights, "layers": layers, "outputs": {"top_share": 1.0}}

    return run(lambda s: 40 / s if s < 16 else 2.31, change=change, data=RAW, rates=(0.11,) * 3,
               of_val=[(2.31, 0.11), (2.30, 0.11), (2.305, 0.11)])  # fmt: skip


@there("inputs-unscaled")
def told_by_gradient_norms():
    """Case 1 as its console tells it: ‖dW1‖/‖db1‖ = 2,438 is the norm of a picture."""
    norms = {"L1.W": 3208.466, "L1.b": 1.316, "L2.W": 1246.646, "L2.b": 1.414}
    parameters = {name: ParameterLook(gradient=norm) for name, norm in norms.items()}
    return History(looks=[Look(step=1, parameters=parameters)])


@not_there("inputs-unscaled")
def healthy_gradient_norms():
    norms = {"L1.W": 11.2, "L1.b": 1.21, "L2.W": 6.9, "L2.b": 0.8}
    return History(
        looks=[Look(step=1, parameters={name: ParameterLook(gradient=norm) for name, norm in norms.items()})]
    )


@there("inputs-unscaled")
def scaled_twice():
    small = {"maximum": 1 / 255, "mean": 0.0005, "std": 0.0012, "norm": 0.036}
    return run(change=lambda step, loss: {"inputs": small}, data=small)


@not_there("inputs-unscaled")
def standardised_with_outliers():
    wide = {"minimum": -3.0, "maximum": 8.5, "mean": 0.0, "std": 1.0, "norm": 28.0}
    return run(change=lambda step, loss: {"inputs": wide}, data=wide)


@not_there("inputs-unscaled")
def token_ids():
    ids = {"minimum": 0.0, "maximum": 999.0, "mean": 300.0, "std": 250.0, "norm": 3000.0}
    layers = (layer("0", "Embedding(1000, 32)"), *mlp_layers(1))
    return run(change=lambda step, loss: {"inputs": ids, "layers": layers}, data=ids)


@there("labels-out-of-range")
def counted_from_one():
    history = run(data={"label_minimum": 1, "label_maximum": 10})
    history.add(End(how="stopped", message="a label is out of range: labels[3]"))
    return history


@there("labels-out-of-range")
def in_a_batch_only():
    return run(change=lambda step, loss: {"outside": 4})


@not_there("labels-out-of-range")
def rare_class_missing():
    return run(data={"label_maximum": 8})


@there("labels-shuffled")
def shuffled():
    return run(lambda s: 2.32, data={"agreement": 0.104, "relabelled": 0.13},
               val={"agreement": 0.11, "relabelled": 0.14},
               rates=(0.11, 0.12, 0.12), of_val=[(2.31, 0.1), (2.32, 0.1), (2.33, 0.1)])  # fmt: skip


@not_there("labels-shuffled")
def no_neighbourhoods_but_learned():
    """Modular addition: the nearest sample says nothing, and yet it is learned."""
    return run(data={"agreement": 0.1, "relabelled": 0.13}, val={"agreement": 0.1, "relabelled": 0.13})


def _renamed(of):
    """A confusion matrix whose classes are off by one."""
    m = measured(even(1000), 0.92, of)
    turned = tuple(m.matrix[(t + 1) % 10] for t in range(10))
    right = sum(turned[c][c] for c in range(10))
    return replace(m, matrix=turned, correct=right, accuracy=right / m.total)


@there("labels-remapped")
def another_map():
    history = run(val={"agreement": 0.02, "relabelled": 0.92})
    for epoch in history.epochs:
        epoch.splits["val"] = _renamed(5.0 + epoch.epoch)
    return history


@there("labels-remapped")
def another_map_told_by_a_file():
    """Nothing but what a history file says."""
    history = History(config={"classes": 5914})
    for number, (loss, rate) in enumerate(((6.0, 0.2), (2.0, 0.7), (0.1, 0.986)), 1):
        splits = {"train": Measured(loss=loss, accuracy=rate), "val": Measured(loss=9.6 + number / 2, accuracy=0.004)}
        history.add(Epoch(epoch=number, splits=splits))
    return history


@not_there("labels-remapped", healthy=False)
def bad_at_two_classes():
    """A network that takes 4 for 9 and 9 for 4 here and there."""
    history = run(val={"agreement": 0.85, "relabelled": 0.88})
    m = [list(row) for row in history.epochs[-1].splits["val"].matrix]
    m[4][9], m[9][4], m[4][4], m[9][9] = 40, 45, 55, 50
    for epoch in history.epochs:
        epoch.splits["val"] = Measured(loss=0.6, matrix=tuple(map(tuple, m)))
    return history


SKEWED = (5500, *[100] * 9)
SKEWED_VAL = (865, *[15] * 9)


@there("class-imbalance")
def majority_only():
    history = run(lambda s: 0.8, data={"class_counts": SKEWED, "chance": 0.74}, val={"class_counts": SKEWED_VAL},
                  change=lambda step, loss: {"class_counts": (28, 4, *[0] * 8)})  # fmt: skip
    m = ((5500, *[0] * 9), *[(97, 3, *[0] * 8)] * 9)
    n = ((865, *[0] * 9), *[(15, *[0] * 9)] * 9)
    for epoch in history.epochs:
        epoch.splits["train"] = Measured(loss=0.8, matrix=m)
        epoch.splits["val"] = Measured(loss=0.8 + epoch.epoch / 100, matrix=n)
    return history


@not_there("class-imbalance")
def imbalanced_but_found():
    return run(data={"class_counts": SKEWED, "chance": 0.74}, val={"class_counts": SKEWED_VAL},
               change=lambda step, loss: {"class_counts": (28, 4, *[0] * 8)})  # fmt: skip


@there("data-order")
def class_by_class():
    def change(step, loss):
        c = step // 60 % 10
        return {"class_counts": tuple(BATCH if i == c else 0 for i in range(10))}

    return run(lambda s: 2.0 + 1.5 * (s % 60 < 5), data={"neighbours_alike": 0.998}, change=change,
               rates=(0.3, 0.3, 0.3), of_val=[(2.9, 0.1), (2.7, 0.1), (2.8, 0.1)])  # fmt: skip


@not_there("data-order")
def shares_of_its_own():
    """Two classes, one of them common: successors are often alike by chance."""
    return run(data={"neighbours_alike": 0.83, "class_counts": (5800, 600, *[0] * 8)})


@there("split-leak")
def duplicates():
    return run(val={"duplicates": 300})


@not_there("split-leak")
def coarse_data_repeat():
    return run(data={"duplicates": 2500}, val={"duplicates": 400})


@not_there("split-leak")
def a_few_twins():
    return run(val={"duplicates": 4})


@there("zero-batches")
def batch_larger_than_data():
    history = run(stuck, steps=100, config={"batch_size": 8192}, epoch={"batches": 0, "samples": 0})
    history.losses.clear()
    history.looks.clear()
    for epoch in history.epochs:
        epoch.splits["train"] = Measured()
        epoch.splits["val"] = Measured(loss=9.5393, accuracy=0.0)
    return history


@there("zero-batches")
def zeros_in_a_file():
    """Case 2."""
    history = History()
    for number in range(1, 16):
        zero, frozen = Measured(loss=0.0, accuracy=0.0), Measured(loss=9.5393, accuracy=0.0)
        history.add(Epoch(epoch=number, splits={"train": zero, "val": frozen}))
    return history


@not_there("zero-batches")
def all_right_in_the_end():
    history = History()
    for number, loss in enumerate((0.5, 0.1, 0.0), 1):
        splits = {"train": Measured(loss=loss, accuracy=1 - loss), "val": Measured(loss=loss + 0.1, accuracy=0.9)}
        history.add(Epoch(epoch=number, batches=10, splits=splits))
    return history


@there("impossible-accuracy")
def no_whole_number():
    history = run()
    m = history.epochs[-1].splits["val"]
    history.epochs[-1].splits["val"] = Measured(loss=m.loss, accuracy=0.93333, total=1000)
    return history


@there("impossible-accuracy")
def more_than_all():
    history = run()
    history.epochs[-1].splits["val"] = Measured(loss=0.2, accuracy=1.07)
    return history


@not_there("impossible-accuracy")
def rounded_by_its_text():
    """ "45.8%" of 240: 109.92 right by the digits, 110 by the last of them."""
    splits = {"train": Measured(loss=1.0), "val": Measured(loss=1.1, accuracy=0.458, total=240, rounded=0.001)}
    return History.of([Epoch(epoch=1, splits=splits)])


@not_there("impossible-accuracy")
def printed_digits():
    """1 of 496, printed as 0.0020."""
    history = History()
    for number, rate in enumerate((0.002, 0.006, 0.0242), 1):
        splits = {
            "train": Measured(loss=8.0 - number, accuracy=rate, total=496),
            "val": Measured(loss=8.6 - number / 10),
        }
        history.add(Epoch(epoch=number, splits=splits))
    return history


@there("wrong-split")
def test_is_train():
    history = run()
    for epoch in history.epochs:
        epoch.splits["val"] = measured(even(6400), 0.93, 0.3 / epoch.epoch)
    return history


@there("wrong-split")
def same_figures():
    history = run()
    for epoch in history.epochs:
        m = epoch.splits["train"]
        epoch.splits["train"] = epoch.splits["val"] = Measured(loss=m.loss, accuracy=m.accuracy)
    return history


@not_there("wrong-split")
def equally_large():
    return run(val={"samples": 6400, "class_counts": even(6400)})


@there("frozen-validation")
def same_digits():
    return run(of_val=[(0.4417, 0.85)] * 3)


@not_there("frozen-validation")
def nearly_the_same():
    return run(of_val=[(0.4417, 0.85), (0.4417, 0.85), (0.4416, 0.851)])
