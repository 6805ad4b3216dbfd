"""Configs that are data: of strangers' files, only those that run no code are read.

A config is Python, and reading it runs it. With `--safe-config`, and always where a work directory
is read, a file may hold assignments alone, of numbers, texts, lists, dicts, `dict(...)`, names
assigned before, and sums and products of these; and `_base_`, the paths of files of that kind. All
configs that come with the package are so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from input_iba.errors import ConfigError

ONLY: ContextVar[bool] = ContextVar("ONLY", default=False)
"""Whether no other configs are read."""

MAX_SIZE = 10_000_000
"""Values and characters that a config may hold: a short text can stand for a huge one."""

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div)

RUNS_CODE = ("custom_imports",)
"""Keys that make the reader of configs import modules."""


@contextmanager
def literal_only(wanted: bool = True) -> Iterator[None]:
    """Read, while the block runs, no config that could run code, if that is wanted."""
    token = ONLY.set(ONLY.get() or wanted)
    try:
        yield
    finally:
        ONLY.reset(token)


def check(path: Path, above: tuple[Path, ...] = ()) -> None:
    """Refuse a config file, or a base of it, that holds more than literals.

    Raises:
        ConfigError: Says file, line, and what stands there.
        SyntaxError: It is not Python.
    """
    file = path.resolve()
    if file in above:
        raise ConfigError(f"Config file '{path}' inherits itself. Remove it from _base_.")
    if path.suffix != ".py":
        raise ConfigError(f"'{path}': only Python files are read as configs without running code.")
    text = path.read_text(encoding="utf-8")
    if "{{" in text:  # replaced in the text by environment variables and parts of the path
        raise ConfigError(f"'{path}' holds '{{{{', a placeholder, which --safe-config refuses.")
    for base in _Literals(path).bases(ast.parse(text, filename=str(path))):
        if Path(base).is_absolute() or "::" in base:
            raise ConfigError(
                f"'{path}' inherits '{base}': with --safe-config bases are paths that begin at the "
                "file's own folder."
            )
        check(path.parent / base, (*above, file))


class _Literals:
    """The statements of a file, in turn, with the size of every name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sizes: dict[str, int] = {}

    def bases(self, module: ast.Module) -> list[str]:
        """Check all statements; return the paths in `_base_`."""
        found: list[str] = []
        for statement in module.body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # a docstring
            if not isinstance(statement, ast.Assign):
                raise self._refused(statement)
            [target, *others] = statement.targets
            if others or not isinstance(target, ast.Name) or target.id in RUNS_CODE:
                raise self._refused(statement)
            self.sizes[target.id] = self._checked(statement.value)
            if target.id == "_base_":
                found = self._paths(statement.value)
        return found

    def _paths(self, value: ast.expr) -> list[str]:
        try:
            given = ast.literal_eval(value)
        except ValueError:
            raise self._refused(value) from None
        paths = [given] if isinstance(given, str) else given
        if not isinstance(paths, (list, tuple)) or not all(isinstance(p, str) for p in paths):
            raise self._refused(value)
        return list(paths)

    def _checked(self, node: ast.expr) -> int:
        """Return how much an expression stands for, or refuse it."""
        match node:
            case ast.Constant(value=value):
                size = len(value) if isinstance(value, (str, bytes)) else 1
            case ast.Name(id=name) if name in self.sizes:
                size = self.sizes[name]
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                size = 1 + sum(map(self._checked, parts))
            case ast.Dict(keys=keys, values=values):  # a key None is '**'
                size = 1 + sum(self._checked(part) for part in [*keys, *values] if part)
            case ast.Call(func=ast.Name(id="dict"), args=args, keywords=given):
                if "dict" in self.sizes:
                    raise self._refused(node)
                size = 1 + sum(map(self._checked, [*args, *(keyword.value for keyword in given)]))
            case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=part) | ast.Starred(value=part):
                size = self._checked(part)
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, OPERATORS):
                size = self._checked(left) + self._checked(right)
                if isinstance(op, ast.Mult):
                    size *= max(self._times(left), self._times(right))
            case _:
                raise self._refused(node)
        if size > MAX_SIZE:
            raise ConfigError(
                f"'{self.path}', line {node.lineno}: more than {MAX_SIZE:,} values, which is more "
                "than a config needs. With --safe-config that is refused."
            )
        return size

    def _times(self, node: ast.expr) -> int:
        """Return how often a product may repeat the other side."""
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, int):
            return abs(value) or 1
        # The number may stand behind a name: then nothing but numbers is multiplied here.
        return 1 if isinstance(node, (ast.List, ast.Tuple)) or value is not None else MAX_SIZE

    def _refused(self, node: ast.stmt | ast.expr) -> ConfigError:
        shown = ast.unparse(node).splitlines()[0][:60]
        return ConfigError(
            f"'{self.path}', line {node.lineno}: '{shown}' could run code, and only literals are "
            "read here: numbers, texts, lists, dict(...), names assigned before, sums and "
            "products, and _base_. Write the value itself; or, where --safe-config asked for this, "
            "read the file through and leave the option out if you trust it."
        )
