"""What a plain backward owes besides the right numbers. Each broken promise is told as a Fault."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .layouts import lay_out
from .report import Fault
from .subjects.function import FunctionSubject, Rejected, unchanged

Gradients = Mapping[str, Array]


def broken_promises(subject: FunctionSubject, rng: np.random.Generator, wrong: bool) -> tuple[list[Fault], list[str]]:
    """(faults, notes): what does not hold, and what is only worth knowing.

    Where the gradient is wrong the promises at the edges (layouts, large numbers, empty batches) are left for later:
    they would be broken by the same mistake, and bury it.
    """
    dout = rng.normal(size=subject.output().shape) + 0.1
    first = subject.gradients(dout)
    undefined = [name for name, g in first.items() if not np.isfinite(g).all()]
    if undefined:
        text = "has NaN or infinity in it where out is finite"
        return [Fault("not finite", f"d{name} {text}") for name in undefined], []
    faults = [*_again(subject, dout, first), *_linear(subject, dout, first, rng)]
    if wrong or faults:
        return faults, []
    faults += [
        *_layouts(subject, dout, first),
        *_input_layouts(subject, dout, first),
        *_own_arrays(subject, dout),
        *_finite(subject, rng),
        *_empty(subject),
    ]
    return faults, [*_read_only(subject, dout), *_narrow(subject, dout)]


def _again(subject: FunctionSubject, dout: Array, first: Gradients) -> Iterator[Fault]:
    """Another pass gives the same, so does another backward of one cache, and the inputs stay as they are."""
    given, size = subject.copies(), largest(first)
    _, cache = subject.run(given)
    once, twice = subject.back(dout, cache), subject.back(dout, cache)
    for name, value in given.items():
        if not unchanged(value, subject.inputs[name]):
            yield Fault("mutation", f"the backward changes the input {name}")
    earlier = subject.run()[1]
    subject.run()  # another forward between the two: what it leaves behind must not matter
    apart = subject.back(dout, earlier)
    for name, g in first.items():
        if not same(once[name], g, size) or not same(apart[name], g, size):
            text = f"d{name}: another forward and backward give another gradient; is a state left over?"
            yield Fault("state left over", text)
        elif not same(twice[name], g, size):
            text = f"d{name}: a second backward from one cache gives another gradient; is the cache changed?"
            yield Fault("state left over", text)


def _linear(subject: FunctionSubject, dout: Array, first: Gradients, rng: np.random.Generator) -> Iterator[Fault]:
    """backward(a·u + b·v) = a·backward(u) + b·backward(v), also for large, small and partly zero cotangents."""
    size = largest(first)
    if not size < 1e290:  # multiples of it would overflow
        return
    other = rng.normal(size=dout.shape)
    part = np.where(rng.random(dout.shape) < 0.5, dout, 0.0)
    scaled, alone, both, huge, tiny, none, some, rest = (
        subject.gradients(np.asarray(d))
        for d in (-3.0 * dout, other, dout + other, 1e6 * dout, 1e-6 * dout, 0.0 * dout, part, dout - part)
    )
    for name, g in first.items():
        if same(scaled[name], g, size) and not same(g, -3.0 * g, size):
            text = f"d{name}: the gradient does not depend on dout; is dout forgotten?"
            yield Fault("cotangent ignored", text)
        elif same(scaled[name], 9.0 * g, size) and not same(9.0 * g, -3.0 * g, size):
            yield Fault("cotangent twice", f"d{name}: the gradient is quadratic in dout; is dout applied twice?")
        elif same(scaled[name], -9.0 * g, size) and not same(-9.0 * g, -3.0 * g, size):
            yield Fault("cotangent twice", f"d{name}: the gradient is dout·|dout| in dout; is dout applied twice?")
        elif not (same(scaled[name], -3.0 * g, size) and same(both[name], g + alone[name], size)):
            text = f"d{name}: the backward is not linear in dout; is something clipped or masked by it?"
            yield Fault("not linear", text)
        elif not (same(huge[name], 1e6 * g, 1e6 * size) and same(tiny[name], 1e-6 * g, 1e-6 * size)):
            text = f"d{name}: a million times dout, or a millionth, does not give as much gradient; is it clipped?"
            yield Fault("not linear", text)
        elif not (np.isfinite(none[name]).all() and np.isfinite(some[name]).all()):
            text = f"d{name} has NaN or infinity in it where dout has zeros; is something divided by it?"
            yield Fault("not finite", text)
        elif not (same(none[name], 0 * g, size) and same(some[name] + rest[name], g, size)):
            yield Fault("not linear", f"d{name}: a dout with zeros in it does not give its part of the gradient")


def _layouts(subject: FunctionSubject, dout: Array, first: Gradients) -> Iterator[Fault]:
    """Where dout lies in memory does not matter: strided, reversed, Fortran's order, one number broadcast."""
    if not (dout.ndim and dout.size):
        return
    reversed_ = np.ascontiguousarray(dout[::-1])[::-1]
    constant = np.full(dout.shape, 0.7)
    layouts: dict[str, tuple[Array, Gradients | None]] = {
        "strided": (np.repeat(dout, 2, axis=-1)[..., ::2], first),
        "reversed": (reversed_, first),
        "Fortran-ordered": (np.asfortranarray(dout), first),
        "broadcast": (np.broadcast_to(np.asarray(0.7), dout.shape), None),
    }
    for layout, (given, expected) in layouts.items():
        try:
            found = subject.gradients(given)
            due = expected if expected is not None else subject.gradients(constant)
        except Rejected as rejected:
            yield Fault(rejected.fault.kind, f"with a {layout} dout: {rejected.fault.text}")
            continue
        for name, g in due.items():
            if not same(found[name], g, largest(due)):
                yield Fault("protocol", f"d{name}: a {layout} dout of the same values gives another gradient")


def _input_layouts(subject: FunctionSubject, dout: Array, first: Gradients) -> Iterator[Fault]:
    """Nor does it matter where the inputs lie."""
    for layout in ("F", "strided", "reversed"):
        given = {
            name: lay_out(value, layout) if isinstance(value, np.ndarray) and value.ndim else value
            for name, value in subject.copies().items()
        }
        try:
            found = subject.back(dout, subject.run(given)[1])
        except Rejected as rejected:
            yield Fault(rejected.fault.kind, f"with {layout} inputs: {rejected.fault.text}")
            continue
        for name, g in first.items():
            if not same(found[name], g, largest(first)):
                yield Fault("protocol", f"d{name}: inputs of the same values that are {layout} give another gradient")


def _own_arrays(subject: FunctionSubject, dout: Array) -> Iterator[Fault]:
    """No gradient shares memory with dout, or with another: who adds into one would change the other."""
    given = dout.copy()
    raw = {name: g for name, g in subject.raw(given, subject.run()[1]).items() if isinstance(g, np.ndarray) and g.size}
    names = list(raw)
    for i, name in enumerate(names):
        if np.shares_memory(raw[name], given):
            text = f"d{name} is a view of dout: whoever adds into it changes dout; return a copy"
            yield Fault("aliasing", text)
        for other in names[:i]:
            if np.shares_memory(raw[name], raw[other]):
                yield Fault("aliasing", f"d{other} and d{name} share memory: whoever adds into one changes the other")


def _read_only(subject: FunctionSubject, dout: Array) -> Iterator[str]:
    """Gradients that cannot be added into: no mistake by itself."""
    for name, g in subject.raw(dout.copy(), subject.run()[1]).items():
        if isinstance(g, np.ndarray) and g.size and not g.flags.writeable:
            yield f"d{name} cannot be written into, as of np.broadcast_to: whoever adds into it must copy it first"


def _finite(subject: FunctionSubject, rng: np.random.Generator) -> Iterator[Fault]:
    """Where the forward is finite the backward is: with inputs of 1e3 and of 1e4, all at once and one by one."""
    told = set()
    for size in (1e3, 1e4):
        for name in [*subject.wanted, None]:

            def enlarged(array: Array, size: float = size) -> Array:
                return np.asarray(array * (size / max(1.0, float(np.abs(array).max(initial=0.0)))))

            for broken in _not_finite(subject, name, enlarged, rng):
                if broken not in told:
                    told.add(broken)
                    by = f"inputs of {size:g}" if name is None else f"{name} of {size:g}"
                    yield Fault("not finite", f"d{broken} has NaN or infinity in it where out is finite, with {by}")


def _not_finite(
    subject: FunctionSubject, name: str | None, change: Callable[[Array], Array], rng: np.random.Generator
) -> list[str]:
    """Whose gradients are not finite when these inputs are changed, though the forward is; none where it is not."""
    chosen = subject.wanted if name is None else [name]
    inputs = {key: change(value) if key in chosen else value for key, value in subject.inputs.items()}
    try:
        moved = FunctionSubject(subject.forward, subject.backward, inputs, subject.constants)
        out, cache = moved.run()
        gradients = moved.back(rng.normal(size=out.shape), cache)
    except Rejected:
        return []
    return [key for key, g in gradients.items() if not np.isfinite(g).all()]


def _empty(subject: FunctionSubject) -> Iterator[Fault]:
    """A batch of none, where the forward takes one: gradients of the right shapes, all zero for what is shared."""
    sizes = {len(a) for a in subject.inputs.values() if isinstance(a, np.ndarray) and a.ndim}
    rows = subject.output().shape[:1]
    batched = [k for k, a in subject.inputs.items() if isinstance(a, np.ndarray) and a.ndim and a.shape[:1] == rows]
    if not rows or not batched or len(sizes) < 2:
        return
    inputs: dict[str, Any] = {k: a[:0] if k in batched else a for k, a in subject.inputs.items()}
    try:
        none = FunctionSubject(subject.forward, subject.backward, inputs, subject.constants)
        out, cache = none.run()
        if len(out):
            return
    except Rejected:
        return  # then these are no batches, or the forward does not take an empty one
    try:
        gradients = none.back(np.zeros(out.shape), cache)
    except Rejected as rejected:
        yield Fault(rejected.fault.kind, f"with an empty batch: {rejected.fault.text}")
        return
    for name, g in gradients.items():
        if np.abs(np.nan_to_num(g, nan=1.0)).max(initial=0.0) > 0:
            yield Fault("not finite", f"d{name} of an empty batch is not zero")


def _narrow(subject: FunctionSubject, dout: Array) -> Iterator[str]:
    """Whether float32 stays float32: no mistake, but slow and surprising."""
    narrow = {
        name: a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
        for name, a in subject.inputs.items()
    }
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out, cache = subject.forward(*narrow.values())
            result = subject.backward(dout.astype(np.float32), cache)
    except Exception:
        yield "float32 inputs are not taken"
        return
    arrays = {"out": out}
    if not isinstance(result, Mapping):
        listed = result if isinstance(result, tuple | list) else [result]
        if len(listed) == len(subject.wanted):
            arrays |= {f"d{name}": g for name, g in zip(subject.wanted, listed, strict=True)}
    wide = [name for name, a in arrays.items() if getattr(a, "dtype", None) == np.float64]
    if wide:
        yield f"given float32, it returns float64: {', '.join(wide)} (np.zeros without a dtype, say)"


def largest(gradients: Gradients) -> float:
    """The size of the largest entry of any of them: what the rounding of the others is measured by."""
    return max((float(np.abs(g).max(initial=0.0)) for g in gradients.values()), default=0.0)


def same(one: Array, other: Array, size: float) -> bool:
    """Equal to nine digits of itself, or to twelve of the largest gradient there is."""
    return bool(np.abs(one - other).max(initial=0.0) <= 1e-9 * max(1e-3 * size, float(np.abs(other).max(initial=0.0))))
