"""Anyone's forward and backward as a subject of checks."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet.core.types import Array

from ..numbers import Numbers, convert, rounded
from ..report import Fault
from ..subject import NotRun

Forward = Callable[..., Any]
Backward = Callable[..., Any]


class Rejected(Exception):  # noqa: N818  (not an error of the user's program: it ends this one check)
    """The functions do not keep to the protocol; `fault` says how."""

    def __init__(self, text: str, kind: str = "protocol") -> None:
        super().__init__(text)
        self.fault = Fault(kind, text)


class Moulded(Rejected):
    """The output's shape depends on the inputs' values, so that there is no derivative."""


class FunctionSubject:
    """A forward and a backward, called with copies, so that what they change can be seen."""

    trusted = False
    composed = True
    _shape: tuple[int, ...] | None = None  # of out, once it was seen

    def __init__(
        self,
        forward: Forward,
        backward: Backward,
        inputs: Mapping[str, Any],
        constants: Sequence[str] = (),
        numbers: Numbers = "float64",
    ) -> None:
        self.forward, self.backward, self.numbers = forward, backward, numbers
        self.constants = [constants] if isinstance(constants, str) else list(constants)
        unknown = [name for name in self.constants if name not in inputs]
        if unknown:
            raise Rejected(f"there is no input {unknown[0]} among {', '.join(inputs)} to be constant")
        for name, value in inputs.items():
            if name not in self.constants and _holds_floats(value):
                kind = type(value).__name__
                raise Rejected(f"the input {name} is a {kind} of arrays: pass each array by a name of its own")
        self.inputs = {name: _wide(value) for name, value in inputs.items()}
        self.dtype = np.dtype(object if numbers in ("digits", "fractions") else numbers)
        self.wanted = [
            name
            for name, value in self.inputs.items()
            if isinstance(value, np.ndarray) and value.dtype.kind in "fcO" and name not in self.constants
        ]
        if not self.wanted:
            raise Rejected("there is no input of floats to differentiate by")

    def arguments(self) -> dict[str, Array]:
        """The inputs of floats that are no constants."""
        return {name: self.inputs[name] for name in self.wanted}

    def output(self) -> Array:
        """The output alone. Of inputs that were moved out of the forward's domain it is NaN."""
        try:
            return self.run(probing=True)[0]
        except Moulded:
            raise
        except Rejected:
            if self._shape is None:
                raise
            return np.full(self._shape, np.nan)

    def gradients(self, dout: Array) -> dict[str, Array]:
        """A forward and a backward of its own."""
        return self.back(dout, self.run()[1])

    def on(self, numbers: Numbers) -> FunctionSubject:
        """The same functions on other numbers. Raises NotRun where they do not take them."""
        if numbers == self.numbers:
            return self
        for name, value in self.inputs.items():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isfinite(value).all():
                raise NotRun(f"{name} is not finite")
        inputs = {
            name: convert(value, numbers) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
            for name, value in self.inputs.items()
        }
        return FunctionSubject(self.forward, self.backward, inputs, self.constants, numbers)

    def beside(self) -> dict[str, Array]:
        """The inputs."""
        return {name: value for name, value in self.inputs.items() if isinstance(value, np.ndarray)}

    def facts(self) -> dict[str, float]:
        """Numbers among the inputs."""
        return {name: float(v) for name, v in self.inputs.items() if isinstance(v, int | float | np.number)}

    def copies(self) -> dict[str, Any]:
        """The inputs, arrays copied."""
        return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in self.inputs.items()}

    def run(self, given: Mapping[str, Any] | None = None, probing: bool = False) -> tuple[Array, Any]:
        """(out, cache) of copies of the inputs, fresh ones if none are given; out is checked and copied.

        While probing, out may be NaN, and nobody looks whether inputs were changed.
        """
        given = self.copies() if given is None else given
        result = self._call("forward", self.forward, *given.values())
        if not (isinstance(result, tuple) and len(result) == 2):
            raise Rejected(f"the forward returns {type(result).__name__}, expected a pair (out, cache)")
        out, cache = result
        if self.dtype == object:
            out = np.asarray(out, object) if not isinstance(out, np.ndarray) else out
        if not isinstance(out, np.ndarray | np.floating | np.complexfloating):
            raise Rejected(f"the forward's out is {type(out).__name__}, expected an array of floats")
        self._right_kind("the forward's out", np.asarray(out), "its inputs are")
        if not probing:
            if self.dtype != object and not np.isfinite(out).all():
                text = "the forward's out has NaN or infinity in it: choose inputs where it is finite"
                raise Rejected(text, "not finite")
            for name, value in given.items():
                if not unchanged(value, self.inputs[name]):
                    raise Rejected(f"the forward changes its input {name}", "mutation")
        if probing and self._shape not in (None, np.shape(out)):
            raise Moulded(f"the shape of out changes with the values: {self._shape}, then {np.shape(out)}")
        self._shape = np.shape(out)
        return np.array(out, dtype=self.dtype), cache

    def back(self, dout: Array, cache: Any) -> dict[str, Array]:
        """The backward's gradients by name, checked and copied."""
        return {name: np.array(gradient, dtype=self.dtype) for name, gradient in self.raw(dout, cache).items()}

    def raw(self, dout: Array, cache: Any) -> dict[str, Any]:
        """The backward's gradients by name, checked and not copied."""
        before = dout.copy()
        result = self._call("backward", self.backward, dout, cache)
        if not np.array_equal(dout, before):
            raise Rejected("the backward changes dout", "mutation")
        if isinstance(result, Mapping):
            known = {*self.inputs, *(f"d{name}" for name in self.inputs)}
            extra = [str(name) for name in result if name not in known]
            if extra:
                raise Rejected(f"the backward returns a gradient by {extra[0]}, which is no input")
            found = {name: result.get(name, result.get(f"d{name}")) for name in self.wanted}
        else:
            listed = list(result) if isinstance(result, tuple | list) else [result]
            if len(listed) == len(self.inputs) != len(self.wanted):  # None in the places of the others
                for g, name in zip(listed, self.inputs, strict=True):
                    whole = isinstance(self.inputs[name], np.ndarray) and self.inputs[name].dtype.kind in "iu"
                    if g is not None and whole and np.any(g):
                        text = f"there is a gradient by {name}, which holds whole numbers and cannot be moved"
                        raise Rejected(f"{text}: pass it as floats, or return None for it")
                listed = [g for g, name in zip(listed, self.inputs, strict=True) if name in self.wanted]
            if len(listed) != len(self.wanted):
                raise Rejected(f"the backward returns {len(listed)} gradients, expected one for each of {self.wanted}")
            found = dict(zip(self.wanted, listed, strict=True))
        for name, gradient in found.items():
            shape = self.inputs[name].shape
            kinds = np.ndarray | np.floating | np.complexfloating
            if gradient is None or (not isinstance(gradient, kinds) and self.dtype != object):
                raise Rejected(f"the backward gives no array for d{name}, but {type(gradient).__name__}")
            if np.shape(gradient) != shape:
                kind = "axis not summed" if _unsummed(np.shape(gradient), shape) else "protocol"
                raise Rejected(f"d{name} has shape {np.shape(gradient)}, expected {shape} as {name} has", kind)
            self._right_kind(f"d{name}", np.asarray(gradient), f"{name} is")
        return found

    def _call(self, which: str, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a dropped imaginary part is found out, an empty mean looked at
                return function(*arguments)
        except (Exception, SystemExit) as error:  # it is the user's own code: whatever it raises is his to read
            if self.numbers != "float64":
                raise NotRun(f"the {which} does not take {self.numbers}: {type(error).__name__}: {error}") from error
            raise Rejected(f"the {which} raises {type(error).__name__} at {place(error)}: {error}") from error

    def _right_kind(self, what: str, array: Array, as_: str) -> None:
        if self.dtype == object:
            if rounded(array):
                raise NotRun(f"{what} is rounded to floats on the way")
        elif array.dtype != self.dtype:
            if self.numbers != "float64":
                raise NotRun(f"{what} is {array.dtype}")
            raise Rejected(f"{what} is {array.dtype}, expected float64 as {as_}")


def place(error: BaseException) -> str:
    """Where an error was raised: file and line."""
    *_, frame = traceback.extract_tb(error.__traceback__)
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _unsummed(given: tuple[int, ...], due: tuple[int, ...]) -> bool:
    """Whether a gradient still has axes that the input was broadcast along."""
    padded = (1,) * (len(given) - len(due)) + due
    return len(given) >= len(due) and all(d in (1, g) for g, d in zip(given, padded, strict=True))


def _wide(value: Any) -> Any:
    """Arrays of floats, and NumPy's scalars, as float64 arrays; everything else as it is."""
    if isinstance(value, np.ndarray | np.floating) and value.dtype.kind == "f":
        return np.array(value, np.float64)
    return value


def _holds_floats(value: Any) -> bool:
    """Whether it is a list, tuple or dictionary of arrays of floats, whose gradients nobody would look at."""
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(isinstance(part, np.ndarray) and part.dtype.kind == "f" for part in parts)


def unchanged(value: Any, before: Any) -> bool:
    """Whether an input is what it was. NaN equals NaN, and what is no array is not looked at."""
    if not isinstance(value, np.ndarray):
        return True
    return bool(np.array_equal(value, before, equal_nan=value.dtype.kind in "fc"))
