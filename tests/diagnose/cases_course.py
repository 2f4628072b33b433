"""Learning rate, optimizer, loss, and the course that a run takes."""

import math

from scratchnet.train.history.history import History
from scratchnet.train.history.records import Epoch, Event, Measured

from .cases import not_there, there
from .cases_start import two
from .runs import NOTHING, layer, learns, mlp_layers, run

NO_GOOD = [(2.5, 0.1), (2.4, 0.11), (2.45, 0.1)]


@there("lr-too-high")
def thrown_away():
    return run(lambda s: 2.4 + (20 * math.exp(-s / 40) if s > 1 else 0), lr=5.0, rates=(0.1, 0.1, 0.11), of_val=NO_GOOD,
               change=lambda step, loss: two(step, *[{"moved": 0.9 if step < 20 else 0.2}] * 2))  # fmt: skip


@not_there("lr-too-high")
def long_first_steps_of_adam():
    """0.08 of the weights at the first step, and a loss that falls all the same."""
    return run(change=lambda step, loss: two(step, *[{"moved": 0.08 / step + 1e-3}] * 2),
               config={"optimizer": "Adam(lr=0.01)"})  # fmt: skip


@there("lr-too-low")
def hardly_moves():
    return run(lambda s: NOTHING - s / 20000, noise=0.01, lr=1e-6, rates=(0.1, 0.11, 0.12),
               of_val=[(2.3, 0.1), (2.29, 0.11), (2.28, 0.12)],
               change=lambda step, loss: two(step, *[{"moved": 1e-6}] * 2))  # fmt: skip


@not_there("lr-too-low")
def small_steps_that_arrive():
    return run(lr=1e-4, change=lambda step, loss: two(step, *[{"moved": 2e-4}] * 2))


@there("wrong-sign")
def turned_around():
    def change(step, loss):
        turned = {"cosine": -1.0, "ratio": 1.0}
        return two(step, turned, turned) | {"outputs": {"correct": 0}}

    return run(lambda s: NOTHING * math.exp(s / 150), change=change, rates=(0.02, 0.0, 0.0),
               of_val=[(6.0, 0.0), (30.0, 0.0), (90.0, 0.0)])  # fmt: skip


@there("wrong-sign")
def negative_loss():
    def change(step, loss):
        return {"outputs": {"loss": -loss, "correct": 0}}

    return run(lambda s: -NOTHING * math.exp(s / 150), change=change, rates=(0.02, 0.0, 0.0),
               of_val=[(6.0, 0.0), (30.0, 0.0), (90.0, 0.0)])  # fmt: skip


@not_there("wrong-sign", healthy=False)
def other_batches_outweigh_it():
    """Accumulated gradients may point away from one batch's now and then."""
    return run(change=lambda step, loss: two(step, *[{"cosine": -0.6 if step == 100 else 0.8}] * 2))


@there("wrong-scale")
def sum_for_mean():
    """A batch of 32 summed: loss and gradient 32 times too large."""

    def change(step, loss):
        return two(step, *[{"ratio": 32.0, "cosine": 1.0}] * 2) | {"outputs": {"loss": loss / 32}}

    return run(lambda s: 32 * learns(s), change=change)


@there("wrong-scale")
def mean_taken_twice():
    """The gradient alone is too short, the loss that is shown is right."""
    return run(change=lambda step, loss: two(step, *[{"ratio": 1 / 32, "cosine": 1.0}] * 2))


@there("wrong-scale")
def twice_the_loss():
    """Steady, and too little for a penalty."""
    return run(lambda s: 2 * learns(s), change=lambda step, loss: {"outputs": {"loss": loss / 2}})


@there("wrong-scale")
def penalty_outweighs():
    return run(lambda s: 40 * math.exp(-s / 200) + 2.3, rates=(0.1, 0.2, 0.2),
               change=lambda step, loss: {"outputs": {"loss": 2.3, "std": 0.5}})  # fmt: skip


@not_there("wrong-scale")
def label_smoothing():
    return run(lambda s: learns(s) + 0.4, change=lambda step, loss: {"outputs": {"loss": max(loss - 0.1, 0.1)}})


@there("not-zeroed")
def piles_up():
    def change(step, loss):
        piled = {"ratio": float(min(step, 40)), "cosine": 1.0 if step == 1 else 0.6}
        return two(step, piled, piled)

    return run(lambda s: 2.3 + s / 40, change=change, rates=(0.2, 0.1, 0.1), of_val=NO_GOOD)


@not_there("not-zeroed")
def accumulated_on_purpose():
    """Four batches a step: longer than one batch's gradient from the first step on, and no longer later."""
    return run(change=lambda step, loss: two(step, *[{"ratio": 3.4, "cosine": 0.85}] * 2))


@there("wrong-mode")
def dropout_at_validation():
    layers = (*mlp_layers(1)[:2], layer("2", "Dropout(0.5)"), layer("3", "Dense(10)"))
    return run(change=lambda step, loss: {"layers": layers}, epoch={"forwards": 232})


@there("wrong-mode")
def trained_in_evaluation_mode():
    layers = (layer("0", "Dense(128)"), layer("1", "BatchNorm()"), layer("2", "ReLU()"), layer("3", "Dense(10)"))
    return run(change=lambda step, loss: {"layers": layers, "training": False}, epoch={"forwards": 0})


@not_there("wrong-mode")
def nothing_that_minds():
    return run(epoch={"forwards": 232})


@there("momentum-diverges")
def heavy_momentum():
    return run(lambda s: learns(s) if s < 100 else 1 + 0.1 * s, rates=(0.5, 0.2, 0.1), of_val=NO_GOOD,
               change=lambda step, loss: two(step, *[{"moved": 0.06}] * 2),
               config={"optimizer": "SGD(lr=0.1, momentum=0.999)"})  # fmt: skip


@not_there("momentum-diverges")
def heavy_but_fine():
    return run(config={"optimizer": "SGD(lr=0.001, momentum=0.99)"})


@there("overfitting")
def parts():
    return run(lambda s: learns(s) * math.exp(-s / 150), rates=(0.7, 0.8, 0.9, 0.97, 1.0, 1.0),
               of_val=[(1.2, 0.6), (1.0, 0.66), (1.3, 0.66), (1.7, 0.65), (2.2, 0.65), (2.6, 0.65)])  # fmt: skip


@not_there("overfitting")
def small_set():
    """500 pictures: all known by heart, 84 % on others, and a validation loss that hardly rises."""
    return run(lambda s: learns(s) * math.exp(-s / 150), rates=(0.8, 0.9, 0.97, 1.0, 1.0),
               of_val=[(0.8, 0.75), (0.6, 0.8), (0.56, 0.83), (0.58, 0.84), (0.6, 0.84)])  # fmt: skip


@there("underfitting")
def two_units():
    layers = (
        layer("0", "Dense(2)", units=2),
        layer("1", "ReLU()", units=2, never=0.0),
        layer("2", "Dense(10)", units=10),
    )
    return run(lambda s: 1.7 + 0.6 * math.exp(-s / 60), change=lambda step, loss: {"layers": layers},
               rates=(0.3, 0.33, 0.34), of_val=[(1.75, 0.3), (1.72, 0.33), (1.71, 0.34)])  # fmt: skip


@not_there("underfitting")
def noisy_labels():
    """Nothing better can be had: neighbours do not agree more often either."""
    return run(lambda s: 1.0 + 1.3 * math.exp(-s / 60), data={"agreement": 0.6},
               val={"agreement": 0.6, "relabelled": 0.6}, rates=(0.65, 0.7, 0.7),
               of_val=[(1.1, 0.66), (1.05, 0.7), (1.04, 0.7)])  # fmt: skip


@there("plateau")
def rate_cut_too_early():
    history = run(lambda s: max(learns(s), 1.6), noise=0.02, rates=(0.4, 0.41, 0.41), data={"agreement": 0.5},
                  val={"agreement": 0.5, "relabelled": 0.5},
                  of_val=[(1.65, 0.4), (1.64, 0.4), (1.63, 0.41)])  # fmt: skip
    history.lrs[60:] = [1e-6] * (len(history.lrs) - 60)
    return history


@not_there("plateau")
def done():
    return run(lambda s: max(learns(s), 0.3), noise=0.02)


@there("loss-spike")
def a_broken_batch():
    return run(lambda s: 30 * math.exp((300 - s) / 10) if 300 <= s < 320 else learns(s))


@not_there("loss-spike")
def noisy():
    return run(noise=0.5)


@there("late-divergence")
def best_at_the_beginning():
    """Case 4: a further term at a third of the run."""
    return run(lambda s: learns(s) if s < 250 else 0.5 + (s - 250) / 50, rates=(0.8, 0.5, 0.2),
               of_val=[(0.6, 0.8), (3.0, 0.5), (6.0, 0.2)])  # fmt: skip


@there("late-divergence")
def a_term_switched_on_by_epoch():
    """Case 4 as its file tells it: a loss of 5.19 that jumps to 22.5 where a further term comes in."""
    history = History()
    for number in range(1, 301):
        loss = 5.19 + 0.4 / number if number < 50 else 22.5 - 1 / number
        history.add(Epoch(epoch=number, splits={"train": Measured(loss=loss)}))
    return history


@not_there("late-divergence")
def restarts():
    """A warm restart: the loss rises for a while and comes back."""
    return run(lambda s: learns(s) + (0.4 * math.exp(-(s - 400) / 20) if s >= 400 else 0))


@there("non-finite")
def becomes_nan():
    history = run()
    history.losses[400:] = [math.nan] * 200
    history.add(Event(step=401, what="nonfinite", where="layer 1, forward"))
    return history


@there("non-finite")
def in_the_data():
    return run(data={"nonfinite": 12})


@not_there("non-finite")
def losses_not_recorded_at_times():
    history = run()
    history.losses[100:110] = [math.nan] * 10
    return history
