"""Next to the edge of rules on the course of a run."""

import math

from scratchnet.train.history.history import History
from scratchnet.train.history.records import Epoch, Event, Measured

from .cases import not_there, there
from .cases_start import two
from .runs import KNOWN, POOR, layer, learns, mlp_layers, run


@not_there("late-divergence")
def wavers_next_to_nothing():
    """From 0.0002 to 0.2: nothing of what was learned is lost."""
    return run(lambda s: 2e-4 + 2.3 * math.exp(-s / 2) + 0.2 * (s > 450), **KNOWN)


@there("lr-too-high")
def blown_up_and_half_learned():
    """Steps longer than the weights, and weights ten times as long; the loss has fallen all the same."""

    def change(step, loss):
        size = {"moved": 1.5 if step < 20 else 0.02, "weight": 16.0 if step == 1 else 160.0}
        return two(step, size, size)

    return run(lambda s: 0.6 + 1.7 * math.exp(-s / 40), change=change, rates=(0.7, 0.75, 0.8),
               of_val=[(0.8, 0.7), (0.7, 0.76), (0.7, 0.79)])  # fmt: skip


@there("lr-too-high")
def steps_that_silence_a_layer():
    """No loss that rises far: a layer has died under long steps, and the shares of the classes are all that is left."""

    def change(step, loss):
        dies = layer("1", "ReLU()", units=128, dead=0.02 if step < 10 else 1.0, never=0.0)
        layers = (*mlp_layers(1)[:1], dies, *mlp_layers(1)[2:])
        return two(step, *[{"moved": 0.2 if step < 20 else 1e-4}] * 2) | {"layers": layers}

    return run(lambda s: 2.32, change=change, rates=(0.1, 0.11, 0.1), of_val=[(2.31, 0.1), (2.31, 0.1), (2.31, 0.1)])


@not_there("lr-too-high", healthy=False)
def not_finite_before_any_step():
    history = run(change=lambda step, loss: two(step, *[{"moved": 0.08}] * 2), rates=(0.1, 0.1, 0.1),
                  of_val=[(2.3, 0.1)] * 3)  # fmt: skip
    history.losses[1:] = [math.nan] * (len(history.losses) - 1)
    history.add(Event(step=1, what="nonfinite", where="2.b gradient"))
    return history


@not_there("lr-too-high", healthy=False)
def rises_after_it_was_learned():
    """Thrown up by its first steps, then down to nothing, then up for another reason."""
    return run(lambda s: 2.3 if s == 1 else 9.0 if s < 12 else 0.01 if s < 300 else 40.0,
               rates=(0.9, 0.3, 0.2), of_val=[(3.0, 0.3)] * 3,
               change=lambda step, loss: two(step, *[{"moved": 0.2 if step < 20 else 2e-3}] * 2))  # fmt: skip


def breaks_at_once(*losses):
    """Long steps, so many finite losses, and NaN from then on."""
    history = run(change=lambda step, loss: two(step, *[{"moved": 0.3}] * 2), rates=(0.1, 0.1, 0.1),
                  of_val=[(math.nan, 0.1)] * 3)  # fmt: skip
    history.losses[:] = [*losses, *[math.nan] * (len(history.losses) - len(losses))]
    return history


@there("lr-too-high")
def one_easy_batch_on_its_way_up():
    return breaks_at_once(2.3, 4.0, 2.5, 3.0, 2.0, 0.5, 2.4, 12.0, 50.0, 900.0)


@not_there("lr-too-high", healthy=False)
def low_for_three_batches():
    return breaks_at_once(2.3, 4.0, 2.5, 1.0, 0.7, 0.5, 0.6, 12.0, 50.0, 900.0)


@there("lr-too-low")
def short_of_its_end():
    """Six sevenths of the loss are gone in a straight line: a longer way would have led on."""
    return run(lambda s: 2.4 - s * 2.05 / 600, noise=0.01, rates=(0.5, 0.7, 0.8),
               of_val=[(1.5, 0.5), (0.9, 0.7), (0.4, 0.8)],
               change=lambda step, loss: two(step, *[{"moved": 1e-4}] * 2))  # fmt: skip


@not_there("lr-too-low")
def goes_on_from_good_weights():
    return run(
        lambda s: 0.3 - s / 4000, noise=0.01, change=lambda step, loss: two(step, *[{"moved": 1e-4}] * 2), **KNOWN
    )


@there("momentum-diverges")
def moments_out_of_step():
    """β₁² above β₂: the loss falls, but weights have grown tenfold and a third is never learned."""
    return run(change=lambda step, loss: two(step, *[{"weight": 16.0 * (1 + step / 60)}] * 2), rates=(0.5, 0.6, 0.65),
               of_val=[(1.4, 0.5), (1.2, 0.6), (1.1, 0.65)],
               config={"optimizer": "Adam(lr=0.001, beta1=0.997, beta2=0.6)"})  # fmt: skip


@not_there("not-zeroed", healthy=False)
def a_term_switched_on():
    """Equal to the fresh gradient until a further term comes in."""

    def change(step, loss):
        late = {"ratio": 200.0, "cosine": -0.3}
        return two(step, *[late if step >= 20 else {}] * 2)

    return run(lambda s: learns(s) if s < 15 else 3.0, change=change, **POOR)


@there("not-zeroed")
def piles_up_until_it_breaks():
    """Steps of a loss that explodes: fresh gradients grow as fast, and only the direction tells; then all is NaN."""

    def change(step, loss):
        piled = {"ratio": 1.1, "cosine": 0.8} if 1 < step < 20 else {}
        return two(step, *[piled if step < 20 else {"ratio": math.inf, "cosine": math.nan}] * 2)

    history = run(lambda s: 2.3 * 2**s if s < 20 else 1.0, change=change, **POOR)
    history.losses[20:] = [math.nan] * (len(history.losses) - 20)
    return history


@there("plateau")
def stopped_at_a_low_level():
    """The rate fell to nothing before half of the run; the loss that is left is small, but it stays."""
    history = run(lambda s: max(learns(s), 0.4), noise=0.02)
    history.lrs[250:] = [1e-9] * (len(history.lrs) - 250)
    return history


@not_there("plateau")
def a_rate_that_fell_by_a_hundred():
    history = run(lambda s: max(learns(s), 0.4), noise=0.02)
    history.lrs[200:] = [1e-3] * (len(history.lrs) - 200)
    return history


@not_there("loss-spike")
def leaps_by_habit():
    """Sure of each sample, and wrong in one batch of fifteen."""
    return run(lambda s: 12.0 if s > 100 and s % 25 == 0 else learns(s) - 0.249, **KNOWN)


@not_there("late-divergence", healthy=False)
def batches_used_up():
    """After the first epoch there is none left: a loss and an accuracy of 0 say nothing of the weights."""
    history = History()
    for number in range(1, 7):
        splits = {"train": Measured(loss=1.2, accuracy=0.6) if number < 3 else Measured(loss=0.0, accuracy=0.0)}
        history.add(Epoch(epoch=number, splits=splits))
    return history
