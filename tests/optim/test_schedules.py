"""Schedules against their formulas and against torch."""

import json
import math

import pytest

from scratchnet.core.errors import ConfigError
from scratchnet.optim.plateau import ReduceOnPlateau
from scratchnet.optim.schedules import Constant, Cosine, OneCycle, StepDecay, Warmup


def torch_rates(make, steps):
    """The learning rates that a torch scheduler gives, step by step."""
    torch = pytest.importorskip("torch", reason="parity needs the extra `parity`")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        if len(rates) < steps:  # OneCycleLR refuses to go past its end
            optimizer.step()
            scheduler.step()
    return rates


def assert_same(schedule, make, steps):
    assert [schedule(step) for step in range(steps)] == pytest.approx(torch_rates(make, steps), rel=1e-9, abs=1e-15)


def test_step_decay():
    assert_same(StepDecay(0.3, 7, 0.4), lambda s, o: s.StepLR(o, 7, 0.4), 30)


@pytest.mark.parametrize("final", [0.0, 0.02])
def test_cosine(final):
    assert_same(Cosine(0.3, 19, final), lambda s, o: s.CosineAnnealingLR(o, 19, final), 20)


def test_cosine_stays_at_its_end():
    assert Cosine(0.3, 10, 0.1)(10) == Cosine(0.3, 10, 0.1)(1000) == pytest.approx(0.1, rel=1e-15)


@pytest.mark.parametrize("steps", [1, 5])
def test_warmup(steps):
    def make(s, o):
        line = s.LinearLR(o, start_factor=1 / (steps + 1), total_iters=steps)
        return s.SequentialLR(o, [line, s.CosineAnnealingLR(o, 12)], [steps])

    assert_same(Warmup(Cosine(0.3, 12), steps), make, 12)


def test_warmup_is_a_line_and_hands_over():
    schedule = Warmup(StepDecay(0.6, 2, 0.5), 5)
    assert [schedule(step) for step in range(9)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.3, 0.3])
    assert Warmup(Constant(0.6), 0)(0) == 0.6


def test_warmups_nest():
    inner = Warmup(Constant(1.0), 1)
    assert [Warmup(inner, 1)(step) for step in range(4)] == [0.25, 0.5, 1.0, 1.0]


@pytest.mark.parametrize("steps", [1, 7, 50])
@pytest.mark.parametrize("settings", [(), (0.5, 10.0, 100.0), (0.05, 4.0, 10.0)])
def test_one_cycle(steps, settings):
    pct, div, final_div = settings or (0.3, 25.0, 1e4)

    def make(s, o):
        return s.OneCycleLR(o, 0.3, total_steps=steps, pct_start=pct, div_factor=div, final_div_factor=final_div)

    assert_same(OneCycle(0.3, steps, *settings), make, steps)


@pytest.mark.parametrize("pct", [0.0, 0.1, 1.0])
def test_one_cycle_where_the_peak_is_at_an_end(pct):
    rates = [OneCycle(1.0, 10, pct)(step) for step in range(20)]
    assert all(0 < rate <= 1 for rate in rates)
    assert rates[9:] == [rates[9]] * 11


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize(("patience", "cooldown", "min_lr"), [(0, 0, 0.0), (2, 0, 0.01), (1, 3, 0.0)])
def test_plateau(mode, threshold_mode, patience, cooldown, min_lr):
    torch = pytest.importorskip("torch", reason="parity needs the extra `parity`")
    settings = {
        "mode": mode,
        "threshold_mode": threshold_mode,
        "patience": patience,
        "cooldown": cooldown,
        "min_lr": min_lr,
        "factor": 0.3,
        "threshold": 0.05,
    }
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
    ours = ReduceOnPlateau(0.3, **settings)
    drops = 0
    for step in range(40):
        metric = math.nan if step == 7 else 2 + math.cos(step / 3) * (-0.9) ** step + 0.01 * step
        before = ours.lr
        theirs.step(metric)
        assert ours.observe(metric) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        drops += ours.lr < before
    assert drops == ours.drops > 0
    assert ours.scale == pytest.approx(ours.lr / 0.3)


def test_plateau_goes_on_from_its_state():
    metrics = [1.0, 0.9, 0.95, 0.96, 0.97, 0.5, 0.6, 0.7, 0.8, 0.9]
    whole, first = (ReduceOnPlateau(1.0, patience=1, cooldown=1, factor=0.5) for _ in range(2))
    expected = [whole.observe(metric) for metric in metrics]
    for metric in metrics[:4]:
        first.observe(metric)
    second = ReduceOnPlateau(1.0, patience=1, cooldown=1, factor=0.5)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert [second.observe(metric) for metric in metrics[4:]] == expected[4:]
    assert expected[-1] < expected[3]
    with pytest.raises(ConfigError, match="no state"):
        second.load_state_dict({"lr": 1.0})


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_plateau_takes_nothing_infinite_for_a_best(bad):
    plateau = ReduceOnPlateau(1.0, patience=100)
    for metric in (bad, 3.0, bad):
        plateau.observe(metric)
    assert (plateau.best, plateau.bad) == (3.0, 1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Constant(-1.0),
        lambda: StepDecay(0.1, 0),
        lambda: StepDecay(0.1, 2, 0.0),
        lambda: Cosine(0.1, 0),
        lambda: Cosine(0.1, 5, -0.1),
        lambda: Warmup(0.1, 5),
        lambda: Warmup(Constant(0.1), -1),
        lambda: OneCycle(0.1, 10, 1.5),
        lambda: OneCycle(0.1, 10, div=0.0),
        lambda: ReduceOnPlateau(0.1, factor=1.0),
        lambda: ReduceOnPlateau(0.1, patience=-1),
        lambda: ReduceOnPlateau(0.1, mode="least"),
        lambda: ReduceOnPlateau(0.1, threshold_mode="both"),
    ],
)
def test_settings_without_meaning(make):
    with pytest.raises(ConfigError):
        make()


def test_one_cycle_whose_rise_takes_no_step():
    """pct·steps = 1, where PyTorch divides by zero."""
    assert [OneCycle(1.0, 10, 0.1)(step) for step in (0, 9)] == pytest.approx([1.0, 1 / 25e4])
