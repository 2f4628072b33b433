"""What may be changed in a function: for each statement and expression, the nodes that may stand in its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from _expressions import HANDLERS, OPERATORS, Change, Site, name_of, number


class Names:
    """Which names may be taken for each other: parameters of one annotation, and locals, each with its neighbours."""

    def __init__(self, tree: ast.FunctionDef) -> None:
        given = [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]
        groups: dict[str, list[str]] = {}
        for parameter in given:
            kind = ast.unparse(parameter.annotation) if parameter.annotation else ""
            groups.setdefault(kind, []).append(parameter.arg)
        stored = (n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        own = sorted(stored, key=lambda n: (n.lineno, n.col_offset))
        parameters = {parameter.arg for parameter in given}
        local = list(dict.fromkeys(n.id for n in own if n.id not in parameters and n.id != "_"))
        self.others: dict[str, tuple[str, ...]] = {}
        for group in (*groups.values(), local):
            for i, name in enumerate(group):
                near = (group[i - 1], group[(i + 1) % len(group)])
                self.others[name] = tuple(dict.fromkeys(other for other in near if other != name))


def replacements(site: Site, names: Names) -> Iterator[Change]:
    """(rule, node) for everything that may stand in a node's place."""
    node, parent = site.node, site.parents[-1]
    if isinstance(parent, ast.Call) and ast.unparse(parent.func) in ("m.const", "m.pi") and node is parent.args[-1]:
        return  # any array of the call's element type will do there
    if isinstance(node, ast.stmt):
        yield from _of_statement(node)
    elif isinstance(getattr(node, "ctx", None), ast.Store):
        return
    elif isinstance(node, ast.expr):
        by_kind = HANDLERS.get(type(node))
        if by_kind is not None:
            yield from by_kind(node, site)
        yield from _of_any_value(node, site)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield from ((f"name {other}", name_of(other)) for other in names.others.get(node.id, ()))


def _of_statement(node: ast.stmt) -> Iterator[Change]:
    yield "statement deleted", ast.copy_location(ast.Pass(), node)
    if isinstance(node, ast.AugAssign):
        target = node.target
        yield "assigned, not added", ast.Assign([target], node.value)
        for operator in OPERATORS.get(type(node.op), ())[:1]:
            yield "operator", ast.AugAssign(target, operator(), node.value)
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        yield "added, not assigned", ast.AugAssign(node.targets[0], ast.Add(), node.value)
    elif isinstance(node, ast.If):
        yield "condition negated", ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        yield "condition dropped", ast.If(ast.Constant(True), node.body, node.orelse)
    elif isinstance(node, ast.Expr) and ast.unparse(node).startswith("np.add.at("):
        array, index, value = node.value.args  # type: ignore[attr-defined]  # (it is a call)
        yield "assigned, not added", ast.Assign([ast.Subscript(array, index, ast.Store())], value)
        yield "added once", ast.AugAssign(ast.Subscript(array, index, ast.Store()), ast.Add(), value)


def _of_any_value(node: ast.expr, site: Site) -> Iterator[Change]:
    """A minus or a flip, where a value is assigned, returned, or an operand."""
    parent = site.parents[-1]
    stands_for_a_value = site.field == "value" and isinstance(parent, ast.Assign | ast.AugAssign | ast.Return)
    stands_for_a_value |= isinstance(parent, ast.Tuple) and isinstance(site.parents[-2], ast.Assign | ast.Return)
    zero = ast.unparse(node).startswith(("m.const(0, ", "np.zeros("))
    if stands_for_a_value and not zero and not isinstance(node, ast.Tuple | ast.UnaryOp | ast.Starred):
        yield "minus added", ast.UnaryOp(ast.USub(), node)
    operand = isinstance(parent, ast.BinOp) or (site.field == "args" and ast.unparse(parent).startswith("m."))
    operand |= isinstance(parent, ast.Attribute) and parent.attr in ("sum", "swapaxes", "T")
    if isinstance(node, ast.Name) and (stands_for_a_value or operand):
        yield "flip", ast.Subscript(node, ast.Slice(None, None, number(-1)), ast.Load())
    if isinstance(node, ast.Name | ast.Subscript) and operand and not isinstance(parent, ast.BinOp):
        yield "minus added", ast.UnaryOp(ast.USub(), node)
