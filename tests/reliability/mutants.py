"""Mutants of a source file: one operator, comparison, constant or return is changed at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Div, ast.Mod: ast.Div, ast.Pow: ast.Mult, ast.MatMult: ast.Mult},
    **{ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}
FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any"}
METHODS = {
    **FUNCTIONS,
    **{"amin": "amax", "amax": "amin", "minimum": "maximum", "maximum": "minimum"},
    **{"argmin": "argmax", "argmax": "argmin", "sum": "mean", "mean": "sum"},
    **{"floor": "ceil", "ceil": "floor", "round": "floor"},
}
"""Functions, and methods, that are called in place of others."""

FIELDS_LEFT = frozenset({"annotation", "returns", "args", "decorator_list", "keywords"})
"""Of functions, classes and assignments: what is read as they are defined, and types."""

LEFT = (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)
"""What is not changed: messages, most of all."""


@dataclass(frozen=True)
class Mutant:
    """A changed function.

    Attributes:
        file: Its path.
        function: Its dotted name in the file.
        change: The expression as it was and as it is.
        lines: First and last line of what runs with it.
        code: The whole file's, compiled.
    """

    file: str
    function: str
    change: str
    lines: tuple[int, int]
    code: CodeType


def mutants(file: Path) -> Iterator[Mutant]:
    """Return the mutants of all bodies of functions in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for name, function in _functions(tree, ""):
        yield from _changed(tree, str(file), name, function)


def _functions(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, ast.stmt]]:
    """Return the functions of a module, and of classes in it, by name."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef):
            yield f"{prefix}{child.name}", child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _changed(tree: ast.Module, file: str, name: str, function: ast.stmt) -> Iterator[Mutant]:
    """Return the mutants of a function, changed in the tree itself and put back after each."""
    for parent, field, place, node in _parts(function):
        for other in _others(node):
            mutant = ast.fix_missing_locations(ast.copy_location(other, node))
            before = ast.unparse(node)
            _put(parent, field, place, mutant)
            code = compile(tree, file, "exec", dont_inherit=True)
            _put(parent, field, place, node)
            lines = (node.lineno, node.end_lineno or node.lineno)
            yield Mutant(file, name, f"{before} → {ast.unparse(mutant)}", lines, code)


def _put(parent: ast.AST, field: str, place: int | None, node: ast.AST) -> None:
    if place is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[place] = node


Part = tuple[ast.AST, str, int | None, "ast.stmt | ast.expr"]


def _parts(parent: ast.AST) -> Iterator[Part]:
    """Return what a node holds, with where it stands: in a field, or at a place of a list."""
    for name, value in ast.iter_fields(parent):
        if name in FIELDS_LEFT and isinstance(parent, ast.stmt):
            continue
        several = value if isinstance(value, list) else [value]
        for place, child in enumerate(several):
            if isinstance(child, LEFT) or not isinstance(child, ast.AST):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield parent, name, place if isinstance(value, list) else None, child
            yield from _parts(child)


def _others(node: ast.stmt | ast.expr) -> Iterator[ast.stmt | ast.expr]:
    """Return what can stand in a node's place."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            changed = [*node.ops]
            changed[place] = OPERATORS[type(operator)]()  # type: ignore[call-overload]
            yield ast.Compare(node.left, changed, node.comparators)
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in OPERATORS:
        fields = dict(ast.iter_fields(node))
        yield type(node)(**{**fields, "op": OPERATORS[type(node.op)]()})
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _numbers(node.value)
    elif isinstance(node, ast.Call):
        yield from _called(node)
    elif isinstance(node, ast.Return) and ast.unparse(node) not in ("return", "return None"):
        yield ast.Return(ast.Constant(None))
    yield from _turned(node)


def _called(node: ast.Call) -> Iterator[ast.expr]:
    called = node.func
    other: ast.expr | None = None
    if isinstance(called, ast.Attribute) and called.attr in METHODS:
        other = ast.Attribute(called.value, METHODS[called.attr], called.ctx)
    elif isinstance(called, ast.Name) and called.id in FUNCTIONS:
        other = ast.Name(FUNCTIONS[called.id], called.ctx)
    if other is not None:
        yield ast.Call(ast.copy_location(other, called), node.args, node.keywords)


def _numbers(value: object) -> Iterator[ast.expr]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)


def _turned(node: ast.stmt | ast.expr) -> Iterator[ast.stmt | ast.expr]:
    """Return a condition turned round, where no part of it is changed anyway."""
    if isinstance(node, ast.If | ast.While | ast.IfExp) and isinstance(
        node.test, ast.Name | ast.Attribute | ast.Call
    ):
        fields = dict(ast.iter_fields(node))
        yield type(node)(**{**fields, "test": ast.UnaryOp(ast.Not(), node.test)})
