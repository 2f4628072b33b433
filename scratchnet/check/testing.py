"""One line of a test file gives a user's own layer, or pair of functions, the full suite.

    from scratchnet.check.testing import full_suite, pair_suite

    test_swish = full_suite(Swish)
    test_affine = pair_suite(affine_forward, affine_backward, {"x": x, "w": w, "b": b})

pytest then shows a test for each promise, test_swish[gradients], test_swish[mutates_nothing], … What fails, fails with
the checker's message and hypothesis's smallest example; what was never exercised fails as VACUOUS.
Needs pytest and hypothesis: pip install "scratchnet[check]".
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from scratchnet.core.case import Case
from scratchnet.core.errors import ConfigError
from scratchnet.core.layer import Layer
from scratchnet.core.plan import RecordError

from . import strategies
from .errors import CheckError
from .functions import check_gradients
from .optional import missing
from .report import Report, Verdict
from .suite import CHECKS, Seen, awake_in, has_cpu_kernels

try:
    import hypothesis
    import pytest
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ImportError as error:
    raise missing("scratchnet.check.testing", "pytest", "check") from error

__all__ = ["CHECK_NAMES", "full_suite", "pair_suite"]

CHECK_NAMES = tuple(CHECKS)
"""The checks of full_suite, in the order in which they run."""


def full_suite(
    *classes: type[Layer],
    cases: SearchStrategy[Case] | Sequence[Case] | None = None,
    without: Iterable[str] = (),
    settings: hypothesis.settings | None = None,
) -> Callable[..., None]:
    """A pytest test, parametrised over every check, of a layer under drawn cases. The layer need not be registered.

        test_swish = full_suite(Swish)
        test_mine = full_suite(Swish, GatedLinear)                      # test_mine[Swish-gradients], …
        test_gate = full_suite(Gate, cases=[Case(Gate(), (4,))])        # where the class draws no cases of its own

    The checks, which can be chosen by `pytest -k`: gradients (by x and every parameter, against the function itself),
    every promise of the contract, repr, and of the cpu backend parity and the contract, where any op has a cpu kernel.
    An argument that had no gradient in any case fails as VACUOUS.

    Args:
        classes: the layers.
        cases: what to draw cases from instead of each class's own `cases`.
        without: names of checks to leave out.
        settings: hypothesis's; the loaded profile if None, but without its deadline, since a first call compiles.

    Raises:
        ConfigError: where there is no layer or no such check.
    """
    left_out = set(without)
    if not left_out <= set(CHECK_NAMES):
        unknown = ", ".join(sorted(left_out - set(CHECK_NAMES)))
        raise ConfigError("there is no such check", expected=" | ".join(CHECK_NAMES), actual=unknown)
    if not classes or not all(isinstance(cls, type) and issubclass(cls, Layer) for cls in classes):
        raise ConfigError("full_suite takes layers", expected="subclasses of Layer", actual=repr(classes))
    prefix = "{0.__name__}-{1}" if len(classes) > 1 else "{1}"
    chosen = [
        pytest.param(cls, name, id=prefix.format(cls, name))
        for cls in classes
        for name in CHECK_NAMES
        if name not in left_out
    ]

    @pytest.mark.parametrize(("layer", "check"), chosen)
    def suite(layer: type[Layer], check: str) -> None:
        __tracebackhide__ = True
        _explore_layer(layer, check, cases, settings)

    return _placed(suite, f"Every check of {', '.join(cls.__name__ for cls in classes)}.")


def pair_suite(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: Mapping[str, Any] | Sequence[Any] | SearchStrategy[Any] | Callable[[np.random.Generator], Any],
    *,
    name: str | None = None,
    constants: Sequence[str] = (),
    most: int = 200,
    settings: hypothesis.settings | None = None,
) -> Callable[[], None]:
    """A pytest test of a hand-written backward: check_gradients, on given or drawn inputs.

        test_affine = pair_suite(affine_forward, affine_backward, {"x": x, "w": w, "b": b})
        test_relu = pair_suite(relu_forward, relu_backward, lambda rng: {"x": rng.normal(size=(3, 4))})
        test_conv = pair_suite(conv_forward, conv_backward, st.fixed_dictionaries({"x": arrays(shapes(3, 3)), …}))

    Args:
        forward, backward: `forward(*inputs) -> (out, cache)`, `backward(dout, cache)` -> one gradient an input.
        inputs: arrays by name or in order, which are checked once; or a hypothesis strategy of such, or a function of a
            random generator, which are drawn from as often as hypothesis's settings say. Drawn inputs by name go to the
            forward's arguments of these names, where it has them.
        name, constants, most: as for check_gradients.
        settings: as for full_suite.
    """
    title = name or str(getattr(backward, "__name__", "backward"))

    def report(inputs: Any, seed: int) -> Report:
        return check_gradients(forward, backward, inputs, name=title, constants=constants, most=most, seed=seed)

    def pair() -> None:
        __tracebackhide__ = True
        if isinstance(inputs, Mapping | Sequence):
            once = report(inputs, 0)
            if not once:
                pytest.fail(str(once), pytrace=False)
            return
        seen: Seen = {}

        def drawn(inputs: Any, seed: int) -> None:
            if callable(inputs):
                inputs = inputs(np.random.default_rng(seed))
            found = report(inputs, seed)
            if found.verdict is Verdict.FAIL:
                raise CheckError(str(found))
            for argument, awake in awake_in(found.findings).items():
                seen[argument] = seen.get(argument, False) or awake

        source = inputs if isinstance(inputs, SearchStrategy) else st.just(inputs)
        _explore(title, drawn, {"inputs": source, "seed": strategies.seeds()}, settings)
        _refuse_vacuous(title, seen)

    return _placed(pair, f"check_gradients of {title}.")


def _explore_layer(
    cls: type[Layer],
    name: str,
    cases: SearchStrategy[Case] | Sequence[Case] | None,
    settings: hypothesis.settings | None,
) -> None:
    __tracebackhide__ = True
    if cases is None:
        if getattr(cls.cases, "__func__", None) is getattr(Layer.cases, "__func__", cls):
            pytest.fail(
                f"{cls.__name__} draws no cases\n  hint:     write its classmethod `cases(draw) -> Case`, "
                "or give full_suite cases=[Case(...), ...]",
                pytrace=False,
            )
        cases = strategies.cases(cls)
    source = cases if isinstance(cases, SearchStrategy) else st.sampled_from(list(cases))
    on_cpu = name.startswith("cpu_")
    seen: Seen = {}
    kernels: set[bool] = set()

    def drawn(case: Case, seed: int, batch: int, training: bool) -> None:
        batch = max(batch, 2) if case.mixes_batch else batch
        if on_cpu and not any(kernels):
            kernels.add(has_cpu_kernels(case, training))
        for argument, awake in CHECKS[name](case, seed, batch, training).items():
            seen[argument] = seen.get(argument, False) or awake

    batch = strategies.batches(1, 9) if name == "cpu_parity" else strategies.batches()
    choices = {"case": source, "seed": strategies.seeds(), "batch": batch, "training": st.booleans()}
    _explore(f"{cls.__name__}, {name}", drawn, choices, settings)
    if name == "gradients":
        _refuse_vacuous(cls.__name__, seen)
    if on_cpu and not any(kernels):
        _skip(f"no op of {cls.__name__} has a cpu kernel, so there is nothing to compare until one has")


def _explore(
    title: str,
    check: Callable[..., None],
    choices: Mapping[str, SearchStrategy[Any]],
    settings: hypothesis.settings | None,
) -> None:
    """Run hypothesis; a checker's error fails the test with its message and the example, and no traceback."""
    __tracebackhide__ = True
    # the blob that hypothesis prints is for a decorator on a function, which the user of a suite has not got
    chosen = hypothesis.settings(settings or hypothesis.settings(deadline=None), print_blob=False)
    check.__name__ = title.rpartition(" ")[2]  # which hypothesis prints above the example
    run = chosen(hypothesis.given(**choices)(check))
    errors: Sequence[BaseException] = ()
    try:
        run()
    except (CheckError, RecordError) as error:
        errors = [error]
    except BaseExceptionGroup as group:  # several failures of one check
        if not all(isinstance(error, CheckError | RecordError) for error in group.exceptions):
            raise
        errors = group.exceptions
    if errors:  # out of the handler, or pytest would show the error's traceback after all
        texts = ["\n".join([str(error), *getattr(error, "__notes__", ())]) for error in errors]
        pytest.fail((f"{title}: " if ", " in title else "") + "\n\n".join(texts), pytrace=False)


def _skip(reason: str) -> NoReturn:
    pytest.skip(reason)  # not hidden, so that pytest has a place to name


def _refuse_vacuous(title: str, seen: Seen) -> None:
    __tracebackhide__ = True
    asleep = [argument for argument, awake in seen.items() if not awake]
    if asleep or not seen:
        by = f"by {', '.join(asleep)} " if seen else ""
        pytest.fail(
            f"VACUOUS  {title}: there was no gradient {by}in any case; nothing was checked\n"
            "  hint:     draw cases in which the output depends on it",
            pytrace=False,
        )


def _placed(test: Callable[..., None], text: str) -> Callable[..., None]:
    """The test as one that stands where the suite was asked for: pytest names that line, and not this file."""
    caller = sys._getframe(2)

    def here() -> None: ...

    here.__code__ = here.__code__.replace(co_filename=caller.f_code.co_filename, co_firstlineno=caller.f_lineno)
    test.place_as = here  # type: ignore[attr-defined]
    test.__doc__, test.__module__ = text, caller.f_globals.get("__name__", test.__module__)
    return test
