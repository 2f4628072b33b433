"""What may be changed in an expression: by kind of node, the nodes that may stand in its place, each with its rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Change = tuple[str, ast.AST]

OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.Sub),
    ast.MatMult: (ast.Mult,),
    ast.FloorDiv: (ast.Mult, ast.Mod),
    ast.Mod: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Gt),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
FUNCTIONS = {
    "tanh": ("sigmoid",),
    "sigmoid": ("tanh", "exp"),
    "exp": ("expm1", "sigmoid"),
    "positive": ("is_nan", "sign"),
    "sign": ("positive",),
    "sum": ("mean", "max"),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "max": ("min",),
    "min": ("max",),
    "any": ("all",),
    "divide": ("maximum",),
}
WRAPPERS = {"sum", "swapaxes", "reshape", "astype", "copy"}
"""Methods of an array that yield an array: a mutant leaves them out."""


@dataclass(frozen=True)
class Site:
    """A node, the nodes that it lies in, the field of the last of them, and how deep its statement lies."""

    node: Any
    parents: tuple[Any, ...]
    field: str
    statement_depth: int


def _of_operation(node: ast.BinOp, site: Site) -> Iterator[Change]:
    for operator in OPERATORS.get(type(node.op), ()):
        yield "operator", ast.BinOp(node.left, operator(), node.right)
    yield "right dropped", node.left
    yield "left dropped", node.right
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult):
        yield "operands exchanged", ast.BinOp(node.right, node.op, node.left)
    if isinstance(node.op, ast.MatMult):
        yield "transposed", ast.BinOp(ast.Attribute(node.left, "T", ast.Load()), node.op, node.right)
        yield "transposed", ast.BinOp(node.left, node.op, ast.Attribute(node.right, "T", ast.Load()))


def _of_comparison(node: ast.Compare, site: Site) -> Iterator[Change]:
    for operator in COMPARISONS.get(type(node.ops[0]), ()):
        yield "comparison", ast.Compare(node.left, [operator()], node.comparators)


def _of_unary(node: ast.UnaryOp, site: Site) -> Iterator[Change]:
    yield "unary dropped", node.operand


def _of_condition(node: ast.IfExp, site: Site) -> Iterator[Change]:
    yield "condition negated", ast.IfExp(node.test, node.orelse, node.body)
    yield "condition dropped", node.body
    yield "condition dropped", node.orelse


def _of_constant(node: ast.Constant, site: Site) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int):
        yield from (("constant", number(other)) for other in (value - 1, value + 1))
    elif isinstance(value, float):
        yield from (("constant", ast.Constant(other)) for other in (value / 2, value + 1))


def _of_slice(node: ast.Slice, site: Site) -> Iterator[Change]:
    lower, upper, step = node.lower, node.upper, node.step
    if lower is None:
        yield "bound", ast.Slice(number(1), upper, step)
    elif not isinstance(lower, ast.Constant):
        yield from (("bound", ast.Slice(more, upper, step)) for more in _beside(lower))
    if upper is None:
        yield "bound", ast.Slice(lower, number(-1), step)
    elif not isinstance(upper, ast.Constant):
        yield from (("bound", ast.Slice(lower, more, step)) for more in _beside(upper))
    if step is None and lower is None and upper is None:
        yield "flip", ast.Slice(None, None, number(-1))
    elif step is not None:
        yield "step dropped", ast.Slice(lower, upper, None)


def _of_subscript(node: ast.Subscript, site: Site) -> Iterator[Change]:
    yield "index dropped", node.value
    if isinstance(node.slice, ast.Name | ast.BinOp):
        yield from (("index", ast.Subscript(node.value, more, ast.Load())) for more in _beside(node.slice))


def _of_tuple(node: ast.Tuple | ast.List, site: Site) -> Iterator[Change]:
    if len(node.elts) < 2 or isinstance(site.parents[-1], ast.Assign):
        return
    for i, element in enumerate(node.elts):
        yield "element dropped", type(node)(node.elts[:i] + node.elts[i + 1 :], ast.Load())
        if site.field == "slice" and isinstance(element, ast.Name):
            for more in _beside(element):
                yield "index", type(node)([*node.elts[:i], more, *node.elts[i + 1 :]], ast.Load())
    for i in range(len(node.elts) - 1):
        one, other = node.elts[i : i + 2]
        yield "elements exchanged", type(node)([*node.elts[:i], other, one, *node.elts[i + 2 :]], ast.Load())


def _of_attribute(node: ast.Attribute, site: Site) -> Iterator[Change]:
    if node.attr == "T":
        yield "transpose dropped", node.value


def _of_call(node: ast.Call, site: Site) -> Iterator[Change]:
    function, args, keywords = node.func, node.args, node.keywords
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    library = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "m"
    for other in FUNCTIONS.get(name, ()):
        renamed = ast.Attribute(function.value, other, ast.Load()) if isinstance(function, ast.Attribute) else None
        yield f"function {other}", ast.Call(renamed or name_of(other), args, keywords)
    if isinstance(function, ast.Attribute) and not library and name in WRAPPERS:
        yield "call dropped", function.value
    if library and name not in ("const", "where"):
        yield "call dropped", args[0]
    if library and name == "mean":
        yield "function sum", ast.Call(ast.Attribute(args[0], "sum", ast.Load()), args[1:], keywords)
    if library and name == "divide":
        yield "operator", ast.BinOp(args[0], ast.Mult(), args[1])
    if library and name == "where":
        yield "branches exchanged", ast.Call(function, [args[0], args[2], args[1]], keywords)
        yield "branch only", args[1]
        yield "branch only", args[2]
    if name in ("positive", "greater"):
        yield "condition negated", ast.UnaryOp(ast.Invert(), node)
    if name == "range":
        yield "range", ast.Call(function, [number(1), *args[-1:]], [])
        yield "range", ast.Call(function, [ast.BinOp(args[-1], ast.Sub(), number(1))], [])
    if name in ("reversed", "max", "min", "range", "len", "maximum", "minimum"):
        yield "call dropped", args[0]
    if name in ("max", "min", "maximum", "minimum"):
        yield "call dropped", args[1]
    for i, keyword in enumerate(keywords):
        if keyword.arg is not None:
            yield f"{keyword.arg} dropped", ast.Call(function, args, keywords[:i] + keywords[i + 1 :])


def _beside(node: ast.expr) -> Iterator[ast.expr]:
    yield ast.BinOp(node, ast.Sub(), number(1))
    yield ast.BinOp(node, ast.Add(), number(1))


def number(value: int) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def name_of(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


HANDLERS: dict[type[ast.expr], Any] = {
    ast.BinOp: _of_operation,
    ast.Compare: _of_comparison,
    ast.UnaryOp: _of_unary,
    ast.IfExp: _of_condition,
    ast.Constant: _of_constant,
    ast.Slice: _of_slice,
    ast.Subscript: _of_subscript,
    ast.Tuple: _of_tuple,
    ast.List: _of_tuple,
    ast.Attribute: _of_attribute,
    ast.Call: _of_call,
}
