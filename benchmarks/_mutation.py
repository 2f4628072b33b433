"""Mutants of the backward ops: every small change of a function's syntax tree that a rule below makes.

A mutant changes what the backward of an op reaches and nothing else: its forward keeps the function as it stands, also
where both call the same helper. Left alone are `_math` and `_philox`, whose functions have tests of their own.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from _expressions import Site
from _rules import Names, replacements

from scratchnet_kernels import OPS, reference

FOLDER = Path(reference.__file__).resolve().parent
PACKAGE = reference.__name__
ALONE = {f"{PACKAGE}._math", f"{PACKAGE}._philox"}

Steps = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Mutant:
    """One change of one function.

    Attributes:
        file, line, col: where it is, in the reference folder.
        function: the function that is changed.
        rule: what was done.
        before, after: the statement, or the head of a compound one.
        ops: the backward ops that reach the function.
        original: the function's tree, without decorators.
        path, new: where in it the change is, and what stands there instead.
    """

    file: str
    line: int
    col: int
    function: str
    rule: str
    before: str
    after: str
    ops: tuple[str, ...]
    original: ast.FunctionDef = field(compare=False, repr=False)
    path: Steps = ()
    new: ast.AST | None = field(default=None, compare=False, repr=False)

    def tree(self) -> ast.FunctionDef:
        """The changed function."""
        changed = copy.deepcopy(self.original)
        if self.new is not None:
            _put(changed, self.path, copy.deepcopy(self.new))
        return ast.fix_missing_locations(changed)

    @property
    def id(self) -> str:
        """file:line:col:rule."""
        return f"{self.file}:{self.line}:{self.col}:{self.rule}"

    @property
    def key(self) -> str:
        """A name that does not change with line numbers."""
        return f"{self.file} {self.function} | {self.rule.split('.')[0]} | {self.before} -> {self.after}"


@cache
def reached(op: str) -> tuple[FunctionType, ...]:
    """The functions of the reference folder that an op calls, itself first."""
    found: list[FunctionType] = []

    def visit(function: FunctionType) -> None:
        if function in found:
            return
        found.append(function)
        space = vars(sys.modules[function.__module__])
        raised = {id(n) for r in ast.walk(_parse(function)) if isinstance(r, ast.Raise) for n in ast.walk(r)}
        for node in (n for n in ast.walk(_parse(function)) if id(n) not in raised):
            called = space.get(node.id) if isinstance(node, ast.Name) else None
            if isinstance(called, FunctionType) and _mutable(called):
                visit(called)

    visit(_plain(OPS[op].reference))
    return tuple(found)


def backward_ops() -> list[str]:
    """Every backward op of a layer or a loss."""
    return [name for name in OPS if name.endswith("_backward")]


@cache
def mutants() -> list[Mutant]:
    """Every mutant, in the order of files and lines; the same list every time."""
    owners: dict[FunctionType, list[str]] = {}
    for op in backward_ops():
        for function in reached(op):
            owners.setdefault(function, []).append(op)
    made = [mutant for function, ops in owners.items() for mutant in _mutants_of(function, tuple(ops))]
    made.sort(key=lambda mutant: (mutant.file, mutant.line, mutant.col))
    return made


def identity(op: str) -> Mutant:
    """The op as it stands, installed the way a mutant is: it must survive."""
    function = _plain(OPS[op].reference)
    file, line = Path(inspect.getfile(function)).name, function.__code__.co_firstlineno
    return Mutant(file, line, 0, function.__name__, "identity", "", "", (op,), _parse(function))


def _plain(function: Any) -> FunctionType:
    if not isinstance(function, FunctionType) or not _mutable(function):
        raise TypeError(f"only functions of {FOLDER} are mutated, this is {function!r}")
    return function


def _mutable(function: FunctionType) -> bool:
    own = function.__module__.startswith(f"{PACKAGE}.") and function.__module__ not in ALONE
    return own and Path(inspect.getfile(function)).resolve().parent == FOLDER


@cache
def _parse(function: FunctionType) -> ast.FunctionDef:
    """The function's tree, at its lines in the file, without decorators."""
    lines, first = inspect.getsourcelines(function)
    tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    ast.increment_lineno(tree, first - 1)
    tree.decorator_list = []
    return tree


def _mutants_of(function: FunctionType, ops: tuple[str, ...]) -> Iterator[Mutant]:
    tree, file = _parse(function), Path(inspect.getfile(function)).name
    names, counts, seen = Names(tree), Counter[str](), set[tuple[Steps, str]]()
    for path, site in list(_sites(tree)):
        head, node = path[: site.statement_depth], site.node
        original = ast.unparse(_get(tree, head))
        seen.add((head, original))
        for rule, new in replacements(site, names):
            if not hasattr(new, "lineno"):
                ast.copy_location(new, node)
            _put(tree, path, new)
            changed = ast.unparse(_get(tree, head))
            _put(tree, path, node)
            if (head, changed) in seen:
                continue
            seen.add((head, changed))
            place = f"{node.lineno}:{node.col_offset}:{rule}"
            counts[place] += 1
            label = rule if counts[place] == 1 else f"{rule}.{counts[place]}"
            before, after = _head(original), _head(changed)
            where = file, node.lineno, node.col_offset, function.__name__
            yield Mutant(*where, label, before, after, ops, tree, path, new)


def _sites(tree: ast.FunctionDef) -> Iterator[tuple[Steps, Site]]:
    """(path, site) of every statement and expression of the body."""

    def walk(node: Any, path: Steps, parents: tuple[Any, ...], depth: int) -> Iterator[tuple[Steps, Site]]:
        statement_depth = len(path) if isinstance(node, ast.stmt) else depth
        if isinstance(node, ast.Raise):  # what is said of wrong input is no part of a derivative
            return
        if isinstance(node, ast.expr | ast.stmt):
            yield path, Site(node, parents, path[-1][0], statement_depth)
        for name, value in ast.iter_fields(node):
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.expr | ast.stmt | ast.keyword | ast.comprehension):
                    yield from walk(child, (*path, (name, index)), (*parents, node), statement_depth)

    for index, statement in enumerate(tree.body):
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):  # a docstring
            yield from walk(statement, (("body", index),), (tree,), 1)


def _get(node: Any, path: Steps) -> Any:
    for name, index in path:
        node = getattr(node, name) if index is None else getattr(node, name)[index]
    return node


def _put(tree: ast.AST, path: Steps, new: ast.AST) -> None:
    name, index = path[-1]
    parent = _get(tree, path[:-1])
    if index is None:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[index] = new


def _head(statement: str) -> str:
    first, *rest = statement.splitlines()
    return f"{first} ..." if rest else first
