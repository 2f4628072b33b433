"""The strategies draw what they promise, all of it, and shrink to the plainest."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from scratchnet.check import check_layer_gradients, strategies
from scratchnet.check.strategies import HypothesisDraw
from scratchnet.check.wiring import settings as settings_of
from scratchnet.core import LAYERS, Case, Network
from scratchnet.core.errors import ConfigError, ScratchnetError
from scratchnet.layers import Dense, Dropout, LayerNorm, ReLU

any_shape = strategies.shapes(0, 4, min_side=0)
seldom = settings(max_examples=300, database=None, derandomize=True, deadline=None)


def least(strategy, condition=lambda _: True):
    return find(strategy, condition, settings=seldom)


@given(shape=strategies.shapes(2, 3, 1, 5, max_size=20))
def test_shapes_keep_their_bounds(shape):
    assert 2 <= len(shape) <= 3
    assert all(1 <= n <= 5 for n in shape)
    assert np.prod(shape) <= 20


def test_shapes_may_and_need_not_be_square():
    assert least(strategies.shapes(2, 2), lambda s: s[0] == s[1] > 1) == (2, 2)
    assert least(strategies.shapes(2, 2), lambda s: 1 < s[0] < s[1]) == (2, 3)
    assert least(strategies.shapes(min_side=0), lambda s: 0 in s) == (0,)


@given(x=strategies.arrays(any_shape, "float32"))
def test_arrays_have_their_type_and_are_finite(x):
    assert x.dtype == np.float32
    assert np.isfinite(x).all()


def signs(x):
    return {np.sign(s) for s in x.strides if s}


LAID = {
    "C": lambda x: x.flags.c_contiguous,
    "F": lambda x: x.flags.f_contiguous and not x.flags.c_contiguous,
    "strided": lambda x: not x.flags.c_contiguous and signs(x) == {1},
    "reversed": lambda x: -1 in signs(x),
    "offset": lambda x: x.flags.c_contiguous and x.base is not None and x.ctypes.data - x.base.ctypes.data == 8,
    "broadcast": lambda x: 0 in x.strides and not x.flags.writeable,
}


@pytest.mark.parametrize("layout", strategies.LAYOUTS)
@pytest.mark.parametrize("of", [strategies.arrays, strategies.cotangents])
@given(data=st.data())
def test_layouts_are_what_they_are_called(of, layout, data):
    x = data.draw(of((3, 4, 2), layout=layout))
    assert x.shape == (3, 4, 2)
    assert LAID[layout](x)


@pytest.mark.parametrize("layout", sorted(set(strategies.LAYOUTS) - {"broadcast"}))
@given(data=st.data(), seed=strategies.seeds())
def test_a_layout_changes_no_value(layout, data, seed):
    from scratchnet.check.layouts import lay_out

    x = np.random.default_rng(seed).normal(size=data.draw(any_shape))
    for axis in range(x.ndim):
        np.testing.assert_array_equal(lay_out(x, layout, axis), x)


REGIMES = {
    "normal": lambda x: len(np.unique(x)) == x.size,
    "positive": lambda x: (x > 0).all(),
    "ties": lambda x: (x == np.rint(x)).all() and abs(x).max() <= 2,
    "zeros": lambda x: (x == 0).all(),
    "constant": lambda x: (x == x.flat[0]).all(),
    "large": lambda x: abs(x).max() > 20,
    "tiny": lambda x: 0 < abs(x).max() < np.finfo(x.dtype).smallest_normal,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("values", strategies.VALUES)
@given(data=st.data())
def test_regimes_are_what_they_are_called(values, dtype, data):
    assert REGIMES[values](data.draw(strategies.arrays((5, 8), dtype, layout="C", values=values)))


def test_complex_arrays_have_both_parts():
    x = least(strategies.arrays((3,), "complex128", layout="C", values="normal"))
    assert (x.imag != 0).all()
    assert (x.real != 0).all()


def test_zeros_have_either_sign():
    x = least(strategies.arrays((9,), layout="C", values="zeros"))
    assert 0 < np.signbit(x).sum() < 9


@given(x=strategies.indices((7,), below=3))
def test_indices_stay_below(x):
    assert x.dtype == np.int64
    assert set(x) <= {0, 1, 2}


@given(dout=strategies.cotangents(strategies.shapes(1, 3, 1, 5), "float32"))
def test_cotangents_hide_no_mistake(dout):
    assert dout.dtype == np.float32
    assert (abs(dout) >= 0.5).all()
    assert (abs(dout) <= 1.5).all()
    if dout.size > 1:
        assert dout.min() < 0 < dout.max()
    if 0 not in dout.strides:
        assert len(np.unique(abs(dout))) == dout.size


def test_arrays_shrink_to_the_plainest():
    x = least(strategies.arrays(strategies.shapes()))
    assert x.shape == (1,)
    assert x.strides == (x.itemsize,)


@pytest.mark.parametrize(
    "wrong", [{"layout": "D"}, {"layout": ()}, {"values": "huge"}, {"values": ["normal", "huge"]}, {"dtype": "int64"}]
)
def test_a_misspelt_option_is_refused(wrong):
    with pytest.raises(ConfigError):
        strategies.arrays((3,), **wrong)


@pytest.mark.parametrize("dims", [1, 2])
@given(data=st.data())
def test_geometries_fit(dims, data):
    """Against windows placed one by one on the padded input."""
    g = data.draw(strategies.conv_geometries(dims))
    assert g.channels % g.groups == g.out % g.groups == 0
    for n, k, s, (before, after), d, places in zip(
        g.size, g.kernel, g.stride, g.padding, g.dilation, g.out_shape[1:], strict=True
    ):
        starts = [i for i in range(-before, n + after) if i % 1 == 0 and i + d * (k - 1) < n + after]
        assert places == len(starts[::s]) >= 1
    assert g.weight_shape == (g.out, g.channels // g.groups, *g.kernel)


def test_geometries_reach_every_corner_and_shrink():
    all_of_them = strategies.conv_geometries()
    plain = least(all_of_them)
    assert (plain.in_shape, plain.weight_shape, plain.groups) == ((1, 1, 1), (1, 1, 1, 1), 1)
    assert plain.stride == plain.dilation == (1, 1)
    assert plain.padding == ((0, 0), (0, 0))
    assert least(all_of_them, lambda g: any(a != b for a, b in g.padding))
    assert least(all_of_them, lambda g: 1 < g.groups < g.channels or g.groups == g.channels == 3)
    assert least(all_of_them, lambda g: max(g.dilation) > 1 and max(g.stride) > 1 and g.kernel[0] != g.kernel[1])


@given(data=st.data())
def test_cases_shrink_and_read_the_same_from_either_source(data):
    assert isinstance(data.draw(strategies.cases(Dense)).layer, Dense)
    assert isinstance(Dense.cases(HypothesisDraw(data)).layer, Dense)


def test_a_case_shrinks_to_the_least():
    case = least(strategies.cases(Dense), lambda case: case.layer.out > 3)
    assert (case.layer.out, case.in_shape) == (4, (1,))


def test_layers_draw_any_layer():
    drawn = set()

    @seldom
    @given(case=strategies.layers())
    def collect(case):
        drawn.add(type(case.layer).__name__)

    collect()
    assert drawn <= set(LAYERS)
    assert len(drawn) > len(LAYERS) / 2


@pytest.mark.parametrize("kind", ["dense", "conv", "sequence"])
@settings(max_examples=10)
@given(data=st.data(), seed=strategies.seeds(), batch=strategies.batches())
def test_networks_fit_and_have_right_gradients(kind, data, seed, batch):
    case = data.draw(strategies.networks(kind, depth=3))
    net = Network(case.layer.layers, case.in_shape)
    assert net.parameter_count > 0
    check_layer_gradients(case, seed, batch=batch)


@given(case=strategies.networks(outputs=3))
def test_networks_end_as_asked(case):
    assert case.layer.out_shape(case.in_shape) == (3,)


def test_networks_shrink_to_few_layers():
    assert len(least(strategies.networks("dense")).layer.layers) == 1
    shape = least(strategies.networks("dense")).in_shape
    assert shape == (3,)


def used(seeds):
    from scratchnet.check.wiring import draw_network
    from scratchnet.core import RandomDraw

    nets = [draw_network(RandomDraw(np.random.default_rng(seed))) for seed in seeds]
    return {type(part).__name__ for case in nets for part in case.layer.layers}


def test_networks_use_every_layer_that_one_array_is_enough_for():
    fit = {name for name, cls in LAYERS.items() if settings_of(cls)}
    assert fit - used(range(700)) == set()
    assert fit >= {"Conv2d", "Dense", "Embedding", "GRU", "LayerNorm", "MaxPool2d", "Residual", "Dropout"}


def test_a_new_layer_is_taken_up(monkeypatch):
    class Mine(ReLU):
        pass

    monkeypatch.setitem(LAYERS, "Mine", Mine)
    assert "Mine" in used(range(200))


def test_no_network_stops_the_gradient():
    from scratchnet.check.wiring import lets_through

    assert lets_through(Dropout(0.5), (4,))
    assert not lets_through(Dropout(1.0), (4,))
    assert lets_through(LayerNorm(), (5,))
    assert not lets_through(LayerNorm(), (1,))


def test_a_layer_without_cases_is_passed_over(monkeypatch):
    class Bare(Dense):
        @classmethod
        def cases(cls, draw):
            raise NotImplementedError

    monkeypatch.setitem(LAYERS, "Bare", Bare)
    assert "Bare" not in used(range(20))
    assert isinstance(least(strategies.networks()), Case)


WITHOUT = """
import sys
sys.modules["{0}"] = None
import scratchnet, scratchnet.check
assert not {{"hypothesis", "pytest", "matplotlib"}} & {{name for name, module in sys.modules.items() if module}}
from scratchnet.check.optional import MissingPackageError
try:
    import scratchnet.check.{1}
except ImportError as error:
    assert isinstance(error, MissingPackageError)
    print(error)
"""


@pytest.mark.parametrize(
    ("package", "module"), [("hypothesis", "strategies"), ("hypothesis", "testing"), ("pytest", "testing")]
)
def test_the_engine_imports_without_them_and_the_error_names_the_extra(package, module):
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(package, module)],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert package in ran.stdout
    assert "scratchnet[check]" in ran.stdout


def test_the_error_is_of_the_family():
    from scratchnet.check.optional import missing

    assert isinstance(missing("it", "matplotlib", "plot"), ScratchnetError | ImportError)
